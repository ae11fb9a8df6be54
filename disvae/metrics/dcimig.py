"""DCIMIG: the information gap of dimensions, counted by factors."""

import math
from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information
from disvae.metrics.score import Score


def dcimig(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """DCIMIG: how much of the factors' entropy single dimensions tell of that factor alone.

    The gap of a dimension is its information about the factor that it knows most of, less that
    about the second; a factor gets the largest gap of the dimensions whose first it is. The score
    is the sum of these over the factors by the sum of their entropies. It is high only if each
    factor has a dimension, and that dimension nothing else.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        names: one name per factor, for the details.

    Returns:
        The share, from 0 to 1; ``per_factor``: its gap by its entropy; ``details`` as in
        :func:`disvae.metrics.mig`.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Evaluating Disentangled Representations, Sepliarskaia et al. 2019,
        https://arxiv.org/abs/1910.05587.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("DCIMIG", "0")
    ranked = np.sort(np.pad(information.table, ((1, 0), (0, 0))), axis=0)
    gap = ranked[-1] - ranked[-2]
    mine = information.table == ranked[-1]  # (factor, dimension)
    best = np.where(mine, gap, 0.0).max(axis=1)
    entropy = information.factor_entropy
    return Score(
        math.fsum(best) / math.fsum(entropy),
        "DCIMIG",
        dict(zip(arrays.names, (best / entropy).tolist(), strict=True)),
        {**arrays.details(), **information.details()},
    )
