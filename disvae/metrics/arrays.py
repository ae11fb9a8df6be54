"""The arrays that metrics take: checked once, at the door."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# A dimension whose spread is below this part of its magnitude may be constant up to the rounding of
# float32; then its values are few, neighbours of one number. Codes that were shifted have many.
ROUNDING, FEW = 1e-6, 16
# Among so many samples a factor of as many values is none.
ENOUGH = 50
# Below this standard deviation a dimension has collapsed, if the prior is a standard normal.
NEARLY_CONSTANT = 0.05


class DegenerateCodesWarning(UserWarning):
    """All dimensions of the codes are constant: there is nothing to measure."""


class CannotComputeError(ValueError):
    """The arrays are sound, but this metric is not defined on them."""


@dataclass(frozen=True)
class Arrays:
    """Checked codes and factors, which metrics take in place of two arrays to share their work.

    Attributes:
        codes: float64 (n, latent_dim).
        factors: int64 (n, n_factors).
        names: one name per factor.
        discrete: the dimensions whose codes are numbers of categories.
        shared: what one metric computed and another may want, by its name and settings.
    """

    codes: NDArray[np.float64]
    factors: NDArray[np.int64]
    names: tuple[str, ...]
    discrete: tuple[int, ...] = ()
    shared: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of each dimension, 0 where it is rounding alone."""
        magnitude = np.abs(self.codes).max(axis=0)
        centered = self.codes - self.codes.mean(axis=0)
        reach = np.abs(centered).max(axis=0)  # squares of tiny numbers are 0, of huge ones infinite
        spread = reach * (centered / np.where(reach > 0, reach, 1.0)).std(axis=0)
        for j in np.flatnonzero(spread <= ROUNDING * magnitude):
            near = 2 * reach[j] <= FEW * np.finfo(np.float32).eps * magnitude[j]
            if near and len(np.unique(self.codes[:, j])) <= FEW:
                spread[j] = 0.0
        return spread

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """The same, and of a discrete dimension the root of its Gini variance.

        Of a continuous dimension the variance is half the mean squared difference of two samples;
        of a discrete one, by Gini, half the share of pairs in different categories. 0 where all
        samples are in one category.
        """
        spread = self.std.copy()
        for j in self.discrete:
            _, counts = np.unique(self.codes[:, j], return_counts=True)
            spread[j] = np.sqrt((1 - ((counts / len(self)) ** 2).sum()) / 2)
        return spread

    def columns(self, j: int) -> NDArray[np.float64]:
        """A dimension in columns whose variances add up to its own: one, or one for each category.

        The Gini variance is half the sum of the variances of the categories' indicators.
        """
        z = self.codes[:, j]
        if j not in self.discrete:
            return z[:, None]
        values, places = np.unique(z, return_inverse=True)
        indicators: NDArray[np.float64] = np.eye(len(values))[places] / np.sqrt(2)
        return indicators

    @cached_property
    def live(self) -> NDArray[np.int64]:
        """The dimensions that vary."""
        return np.flatnonzero(self.std)

    @cached_property
    def values(self) -> NDArray[np.int64]:
        """The factors with their values numbered from 0, without gaps."""
        columns = [np.unique(column, return_inverse=True)[1] for column in self.factors.T]
        return np.stack(columns, axis=1)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many values of each factor occur."""
        return self.values.max(axis=0) + 1

    @cached_property
    def standard(self) -> NDArray[np.float64]:
        """The codes with mean 0 and standard deviation 1; 0 in dead dimensions."""
        centered = self.codes - self.codes.mean(axis=0)
        scaled: NDArray[np.float64] = centered / np.where(self.std > 0, self.std, np.inf)
        return scaled

    def split(self, train_share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The samples to learn from and the others, to test on, by chance.

        Raises:
            CannotComputeError: one of the parts would have less than 2 samples.
        """
        n_train = round(train_share * len(self))
        if not 2 <= n_train <= len(self) - 2:
            raise CannotComputeError(
                f"{len(self)} samples cannot be split into {train_share:.0%} to learn from and a "
                "rest to test on, of 2 at least each: give more samples"
            )
        order = np.random.default_rng([seed, n_train]).permutation(len(self))
        return order[:n_train], order[n_train:]

    def details(self) -> dict[str, Any]:
        """What every metric says of the codes: their spread, and which dimensions are dead."""
        return {
            "code_std": self.std.tolist(),
            "dead_dimensions": np.flatnonzero(self.std == 0).tolist(),
            "nearly_constant": bool(self.std.max() < NEARLY_CONSTANT),
        }

    def need_factors(self, n: int, metric: str) -> None:
        """Refuse fewer than ``n`` factors."""
        if len(self.names) < n:
            raise CannotComputeError(
                f"{metric} compares factors, so that it needs {n} at least, got {len(self.names)}"
            )

    def warn_if_dead(self, metric: str, value: str) -> None:
        """Warn if no dimension varies."""
        if len(self.live) == 0:
            message = f"no dimension of the codes varies: the {metric} is {value}"
            warnings.warn(message, DegenerateCodesWarning, stacklevel=3)

    def warn(self, message: str) -> None:
        """Warn of codes that cannot be told from constant ones."""
        warnings.warn(message, DegenerateCodesWarning, stacklevel=3)


def check_arrays(
    codes: object,
    factors: object,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Arrays:
    """Check codes and factors, and bring them to one type.

    Args:
        codes: (n, latent_dim) floats; a NumPy array, a tensor on any device, or array-like. Or
            what this function returned.
        factors: (n, n_factors) integers; whole floats are taken as integers.
        names: one name per factor; "factor 0" and so on if None.
        discrete: the dimensions whose codes are numbers of categories, in no order.

    Raises:
        ValueError: the arrays are not of these shapes, or of different lengths; fewer than 2
            samples; NaN or infinite codes; factors that are not whole; a factor with one value, or
            with another one in every sample; codes that count the samples; names that are not one
            per factor, or not distinct; discrete dimensions that the codes do not have, or whose
            codes are not whole.
    """
    if isinstance(codes, Arrays):
        return codes
    z, v = _as_array(codes).astype(np.float64), _as_array(factors)
    if z.ndim != 2 or v.ndim != 2 or 0 in z.shape or 0 in v.shape:
        raise ValueError(
            f"expected codes (n, latent_dim) and factors (n, n_factors), got shapes {z.shape} and "
            f"{v.shape}; give one factor as a column, factors[:, None]"
        )
    if len(z) != len(v):
        raise ValueError(f"{len(z)} codes but {len(v)} rows of factors: expected one row per code")
    _check_samples(z)
    whole = v.astype(np.int64) if v.dtype.kind in "biuf" and np.isfinite(v).all() else None
    if whole is None or (whole != v).any():
        raise ValueError(
            "factors must be integers, the index of each value; in Python, "
            "np.unique(column, return_inverse=True)[1] gives them, and disvae.metrics.bin_factors "
            "divides the range of continuous ones"
        )
    labels = tuple(names) if names is not None else tuple(f"factor {k}" for k in range(v.shape[1]))
    if len(labels) != v.shape[1]:
        raise ValueError(f"{len(labels)} names for {v.shape[1]} factors")
    if len(set(labels)) != len(labels):
        raise ValueError(f"expected a different name for each factor, got {labels}")
    _refuse_row_numbers(z, whole, labels)
    for name, column in zip(labels, whole.T, strict=True):
        if (column == column[0]).all():
            raise ValueError(f"{name!r} has one value, which no code can predict: drop its column")
    return Arrays(z, whole, labels, _check_discrete(z, discrete))


def _refuse_row_numbers(z: NDArray[np.float64], v: NDArray[np.int64], names: Sequence[str]) -> None:
    """Refuse a column that counts or identifies the samples, as tables often have one."""
    if len(z) < ENOUGH:
        return
    for name, column in zip(names, v.T, strict=True):
        if len(np.unique(column)) == len(column):
            raise ValueError(
                f"the factor {name!r} has another value in each of the {len(column)} samples, as "
                "their numbers do, and tells nothing: leave its column out (on the command line "
                "--factors FILE.csv:NAME,NAME), or bin it by disvae.metrics.bin_factors"
            )
    for j, dimension in enumerate(z.T):
        dense = np.ptp(dimension) <= 1000 * len(dimension) and (dimension % 1 == 0).all()
        if z.shape[1] > 1 and dense and len(np.unique(dimension)) == len(dimension):
            raise ValueError(
                f"dimension {j} of the codes is another whole number in each sample, as their "
                "numbers are: leave its column out (on the command line --codes "
                "FILE.csv:NAME,NAME)"
            )


def check_codes(codes: object) -> Arrays:
    """Check codes without factors.

    Args:
        codes: (n, latent_dim) floats; a NumPy array, a tensor on any device, or array-like.

    Raises:
        ValueError: another shape, fewer than 2 samples, or NaN or infinite values.
    """
    if isinstance(codes, Arrays):
        return codes
    z = _as_array(codes).astype(np.float64)
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(f"expected codes (n, latent_dim), got shape {z.shape}")
    _check_samples(z)
    return Arrays(z, np.zeros((len(z), 0), dtype=np.int64), ())


def _check_discrete(z: NDArray[np.float64], discrete: Sequence[int]) -> tuple[int, ...]:
    chosen = tuple(sorted(set(discrete)))
    if chosen and not (chosen[0] >= 0 and chosen[-1] < z.shape[1]):
        raise ValueError(f"expected discrete dimensions from 0 to {z.shape[1] - 1}, got {chosen}")
    for j in chosen:
        if (broken := z[:, j] != np.round(z[:, j])).any():
            raise ValueError(
                f"expected the numbers of categories in the discrete dimension {j}, got "
                f"{z[broken, j][0]:g}"
            )
    return chosen


def _check_samples(z: NDArray[np.float64]) -> None:
    if len(z) < 2:
        raise ValueError("expected at least 2 samples, got 1")
    if not np.isfinite(z).all():
        bad = np.flatnonzero(~np.isfinite(z).all(axis=0)).tolist()
        raise ValueError(f"codes hold NaN or infinite values, in dimensions {bad}")


def bin_factors(factors: object, bins: int = 10) -> NDArray[np.int64]:
    """Continuous factors as integers: the bin, of equal widths between the extremes, of each value.

    Columns that are whole already stay as they are, so that a mixture of both may be given.

    Args:
        factors: (n, n_factors) numbers.
        bins: per column.

    Raises:
        ValueError: another shape, NaN or infinite values, or fewer than 2 bins.
    """
    v = _as_array(factors).astype(np.float64)
    if v.ndim != 2 or not np.isfinite(v).all():
        raise ValueError(f"expected finite factors (n, n_factors), got shape {v.shape}")
    if bins < 2:
        raise ValueError(f"expected at least 2 bins, got {bins}")
    low, high = v.min(axis=0), v.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    cells = np.minimum(((v - low) / span * bins).astype(np.int64), bins - 1)
    whole = (v == np.round(v)).all(axis=0)
    return np.where(whole, v.astype(np.int64), cells)


def _as_array(values: object) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return values.double().numpy() if values.is_floating_point() else values.numpy()
    return np.asarray(values)
