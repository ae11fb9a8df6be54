"""The mutual information gap, by histograms of the codes."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import DegenerateCodesWarning, check_arrays
from disvae.metrics.score import Score

DIGITS = 5  # of a position in units of bins: what float32 codes keep of it


def mig(
    codes: object,
    factors: object,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """The mutual information gap: how far the best dimension of each factor leads the second best.

    The mean over factors k of (I(z_j1; v_k) - I(z_j2; v_k)) / H(v_k), where j1 and j2 are the two
    dimensions of most information about v_k (the second is 0 if there is one dimension alone). The
    information is that of a histogram of the codes, equal bins between each dimension's extremes:
    the estimator of disentanglement_lib, on posterior means. The Monte Carlo estimate over
    posteriors of the paper is another one, and the two are not comparable.

    Bins are laid out symmetrically about each dimension's middle, which has a bin of its own if
    their number is even. So permuting, negating and rescaling dimensions change nothing.

    Args:
        codes: (n, latent_dim) floats, usually 10,000 posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: per dimension. If None: 20, the usual number, or as many as a factor has values if
            those are more, since 20 bins cannot tell dSprites' 40 orientations apart and a perfect
            code would not score 1. Use ``bins=20`` to compare with disentanglement_lib.
        names: one name per factor, for the details.

    Returns:
        The mean gap, from 0 to 1; ``per_factor``: the gap of each factor; ``details``:
        ``mutual_information`` (n_factors x latent_dim, nats), ``entropy`` of each factor (nats),
        ``best_dimension`` of each factor, ``bins``, ``dead_dimensions``, ``code_std``,
        ``nearly_constant``.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins.

    Warns:
        DegenerateCodesWarning: no dimension varies; the gap is then 0.

    Reference:
        Isolating Sources of Disentanglement in VAEs, Chen et al. 2018,
        https://arxiv.org/abs/1802.04942, section 4.1; Challenging Common Assumptions in the
        Unsupervised Learning of Disentangled Representations, Locatello et al. 2019,
        https://arxiv.org/abs/1811.12359, for the histogram.

    Example:
        >>> v = np.stack(np.meshgrid(range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 2)
        >>> mig(v * [2.0, -0.1], v)
        MIG = 1.0000
    """
    arrays = check_arrays(codes, factors, names)
    values = [np.unique(column, return_inverse=True)[1] for column in arrays.factors.T]
    if bins is None:
        bins = max(20, *(int(v.max()) + 1 for v in values))
    if bins < 2:
        raise ValueError(f"expected at least 2 bins, got {bins}")
    if not arrays.std.any():
        warnings.warn(
            "no dimension of the codes varies: the MIG is 0", DegenerateCodesWarning, stacklevel=2
        )
    cells = [
        discretize(z, bins) if std > 0 else np.zeros(len(z), dtype=np.int64)
        for z, std in zip(arrays.codes.T, arrays.std, strict=True)
    ]
    information = np.array([[mutual_information(v, z) for z in cells] for v in values])
    entropy = np.array([mutual_information(v, v) for v in values])
    ranked = np.sort(np.pad(information, ((0, 0), (1, 0))), axis=1)
    gap = (ranked[:, -1] - ranked[:, -2]) / entropy
    return Score(
        math.fsum(gap) / len(gap),
        "MIG",
        dict(zip(arrays.names, gap.tolist(), strict=True)),
        {
            **arrays.details(),
            "bins": bins,
            "mutual_information": information.tolist(),
            "entropy": entropy.tolist(),
            "best_dimension": information.argmax(axis=1).tolist(),
        },
    )


def discretize(z: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each value: equal widths between the extremes, mirrored about the middle.

    Args:
        z: (n,), not all equal.
        bins: their number; an even number has the exact middle as one more.
    """
    low, high = z.min(), z.max()
    position = (z - (low + high) / 2) / (high - low) * bins  # from -bins/2 to bins/2
    offset = 0.5 if bins % 2 else 0.0
    distance = np.ceil(np.abs(position).round(DIGITS) - offset)
    return (np.sign(position.round(DIGITS)) * distance).astype(np.int64) + bins // 2


def mutual_information(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """I(a; b) of two columns of small non-negative integers, in nats.

    Ratios of whole counts and an exact sum: independent columns have exactly 0, a column with
    itself exactly its entropy, and renaming the values changes not even the last digit.
    """
    size = int(b.max()) + 1
    cells, seen = np.unique(a * size + b, return_counts=True)  # few, however many could be
    expected = np.bincount(a)[cells // size] * np.bincount(b)[cells % size]
    return max(0.0, math.fsum(seen * np.log(len(a) * seen / expected)) / len(a))
