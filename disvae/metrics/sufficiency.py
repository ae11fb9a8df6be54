"""Sufficiency: does one dimension say all of a factor?"""

import math
from collections.abc import Sequence

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information
from disvae.metrics.score import Score


def sufficiency(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """Sufficiency: the share of a factor's entropy that its best dimension knows.

    The mean over factors k of max_j I(z_j; v_k) / H(v_k), of histograms; see
    :func:`disvae.metrics.minimality`.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_factor``; ``details`` as in :func:`disvae.metrics.mig`.

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
    arrays.warn_if_dead("sufficiency", "0")
    share = information.table.max(axis=1) / information.factor_entropy
    return Score(
        math.fsum(share) / len(share),
        "sufficiency",
        dict(zip(arrays.names, share.tolist(), strict=True)),
        {**arrays.details(), **information.details()},
    )
