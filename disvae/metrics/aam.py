"""The axis alignment metric."""

import math
from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.information import Information, histogram_information
from disvae.metrics.score import Score


def aam(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """Axis alignment: how far the best dimension of a factor outweighs all others together.

    The mean over factors k of max(0, I_1 - I_2 - I_3 - ...) / I_1, with the information I_j of
    all dimensions about v_k in falling order. Unlike the MIG it is not spoilt by a factor that is
    known in part, and is by one that is spread over many dimensions. A factor that no dimension
    knows of counts as 0.

    It is the number of disentangling-vae, here of histograms; see
    :func:`disvae.metrics.posterior_aam` for that of posteriors. Information that a histogram finds
    by chance in every dimension lowers it: give it 10,000 samples.

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
        https://github.com/YannDubs/disentangling-vae, where it is defined.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("AAM", "0")
    return axis_alignment(arrays, information, "AAM")


def axis_alignment(arrays: Arrays, information: Information, name: str) -> Score:
    """The alignment of each factor, and their mean."""
    best = information.table.max(axis=1)
    rest = np.array([math.fsum(row) for row in information.table]) - best
    aligned = np.maximum(0.0, best - rest) / np.where(best > 0, best, 1.0)
    return Score(
        math.fsum(aligned) / len(aligned),
        name,
        dict(zip(arrays.names, aligned.tolist(), strict=True)),
        {**arrays.details(), **information.details()},
    )
