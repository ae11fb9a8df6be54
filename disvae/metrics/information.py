"""The mutual information of codes and factors, by histograms of the codes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays
from disvae.metrics.score import Score

DIGITS = 5  # of a position in units of bins: what float32 codes keep of it
USUAL_BINS = 20  # disentanglement_lib's


@dataclass(frozen=True)
class Information:
    """What single dimensions know of single factors, in nats.

    Attributes:
        table: I(v_k; z_j), (n_factors, latent_dim); 0 for dead dimensions.
        factor_entropy: H(v_k), (n_factors,).
        code_entropy: H(z_j) of the histogram, (latent_dim,).
        bins: of each dimension; None where there is no histogram.
    """

    table: NDArray[np.float64]
    factor_entropy: NDArray[np.float64]
    code_entropy: NDArray[np.float64]
    bins: int | None

    def details(self) -> dict[str, object]:
        """The same as plain JSON values."""
        return {
            "bins": self.bins,
            "mutual_information": self.table.tolist(),
            "entropy": self.factor_entropy.tolist(),
            "best_dimension": self.table.argmax(axis=1).tolist(),
        }


def histogram_information(arrays: Arrays, bins: int | None = None) -> Information:
    """The information of histograms with equal bins between each dimension's extremes.

    Args:
        arrays: codes and factors.
        bins: per dimension. If None: 20, the usual number, or as many as a factor has values if
            those are more, since 20 bins cannot tell dSprites' 40 orientations apart.

    Raises:
        ValueError: fewer than 2 bins.
    """
    if bins is None:
        bins = max(USUAL_BINS, int(arrays.sizes.max()))
    if bins < 2:
        raise ValueError(f"expected at least 2 bins, got {bins}")
    key = ("histogram", bins)
    if key not in arrays.shared:
        cells = code_cells(arrays, bins)
        values = list(arrays.values.T)
        arrays.shared[key] = Information(
            np.array([[mutual_information(v, z) for z in cells] for v in values]),
            np.array([mutual_information(v, v) for v in values]),
            np.array([mutual_information(z, z) for z in cells]),
            bins,
        )
    found: Information = arrays.shared[key]
    return found


def code_cells(arrays: Arrays, bins: int) -> list[NDArray[np.int64]]:
    """The bin of each sample in each dimension; one bin in dead ones."""
    return [
        discretize(z, bins) if std > 0 else np.zeros(len(z), dtype=np.int64)
        for z, std in zip(arrays.codes.T, arrays.std, strict=True)
    ]


def two_largest(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest and the second largest entry of each row; the second of one alone is 0."""
    ranked = np.sort(np.pad(table, ((0, 0), (1, 0))), axis=1)
    return ranked[:, -1], ranked[:, -2]


def mean_over_codes(
    values: NDArray[np.float64],
    name: str,
    arrays: Arrays,
    count_dead: bool,
    details: dict[str, object],
) -> Score:
    """The mean over the dimensions that vary, or over all of them."""
    counted = np.arange(len(values)) if count_dead else arrays.live
    kept = {int(j): float(values[j]) for j in counted}
    mean = math.fsum(kept.values()) / len(kept) if kept else 0.0
    return Score(mean, name, details={**arrays.details(), **details}, per_code=kept)


def discretize(z: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each value: equal widths between the extremes, mirrored about the middle.

    Args:
        z: (n,), not all equal.
        bins: their number; an even number has the exact middle as one more.
    """
    width = z.max() - z.min()
    # From -bins/2 to bins/2. The least is taken off first: the middle of large numbers is rounded.
    position = ((z - z.min()) - width / 2) / width * bins
    offset = 0.5 if bins % 2 else 0.0
    distance = np.ceil(np.abs(position).round(DIGITS) - offset)
    return (np.sign(position.round(DIGITS)) * distance).astype(np.int64) + bins // 2


def mutual_information(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """I(a; b) of two columns of small non-negative integers, in nats.

    Ratios of whole counts and an exact sum: independent columns have exactly 0, a column with
    itself exactly its entropy, and renaming the values changes not even the last digit.
    """
    size = int(b.max()) + 1
    joint = a * size + b
    if (int(a.max()) + 1) * size <= 4 * len(a):
        counts = np.bincount(joint)
        cells = np.flatnonzero(counts)
        seen = counts[cells]
    else:
        cells, seen = np.unique(joint, return_counts=True)  # few, however many could be
    expected = np.bincount(a)[cells // size] * np.bincount(b)[cells % size]
    return max(0.0, math.fsum(seen * np.log(len(a) * seen / expected)) / len(a))
