"""Modularity: does each dimension know of one factor alone?"""

from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information, mean_over_codes
from disvae.metrics.score import Score


def modularity(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    count_dead: bool = False,
    names: Sequence[str] | None = None,
) -> Score:
    """Modularity: one minus what a dimension knows of other factors than its own, squared.

    The mean over dimensions j of 1 - Σ_{k ≠ best} I_jk² / (I_jk_best² (n_factors - 1)).

    A dimension of pure noise knows nothing, but a histogram of finitely many samples finds a
    little information about every factor, and what share each has is chance: such dimensions
    have a modularity of their own, somewhere between. ``per_code`` beside the information in the
    details shows which they are.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        count_dead: let dimensions that know nothing count as 0, instead of not at all.
            disentanglement_lib does, so that its number falls with every dimension that is unused.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_code``; ``details`` as in :func:`disvae.metrics.mig`.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins; or
            a single factor, of which every dimension would know alone.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Learning Deep Disentangled Embeddings with the F-Statistic Loss, Ridgeway and Mozer 2018,
        https://arxiv.org/abs/1802.05312, section 2.
    """
    arrays = check_arrays(codes, factors, names)
    arrays.need_factors(2, "modularity")
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("modularity", "0")
    squared = information.table.T**2
    best = squared.max(axis=1)
    knows = best > 0
    others = np.sort(squared, axis=1)[:, :-1].sum(axis=1) / np.where(knows, best, 1.0)
    modular = np.where(knows, 1 - others / (squared.shape[1] - 1), 0.0)
    return mean_over_codes(modular, "modularity", arrays, count_dead, information.details())
