"""Minimality: does a dimension say nothing beyond one factor?"""

from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information, mean_over_codes
from disvae.metrics.score import Score


def minimality(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    count_dead: bool = False,
    names: Sequence[str] | None = None,
) -> Score:
    """Minimality: the share of a dimension's entropy that is about its best factor.

    The mean over dimensions j of max_k I(z_j; v_k) / H(z_j), of histograms. Together with
    :func:`disvae.metrics.sufficiency` it defines disentanglement where factors depend on one
    another: neither is lowered by what one factor tells of another.

    The entropy is that of the bins, so that noise finer than a bin costs nothing, and the number
    of bins matters: the authors' is 15.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        count_dead: let dimensions that do not vary count as 0, instead of not at all.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_code``; ``details`` as in :func:`disvae.metrics.mig`.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Rethinking Disentanglement under Dependent Factors of Variation, Almudévar and Ortega 2024,
        https://arxiv.org/abs/2408.07016.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("minimality", "0")
    entropy = information.code_entropy
    share = information.table.max(axis=0) / np.where(entropy > 0, entropy, 1.0)
    return mean_over_codes(share, "minimality", arrays, count_dead, information.details())
