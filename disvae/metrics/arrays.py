"""The arrays that metrics take: checked once, at the door."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# A dimension whose spread is below this part of its magnitude is constant up to float32 rounding.
ROUNDING = 1e-6
# Below this standard deviation a dimension has collapsed, if the prior is a standard normal.
NEARLY_CONSTANT = 0.05


class DegenerateCodesWarning(UserWarning):
    """All dimensions of the codes are constant: there is nothing to measure."""


@dataclass(frozen=True)
class Arrays:
    """Checked codes and factors.

    Attributes:
        codes: float64 (n, latent_dim).
        factors: int64 (n, n_factors).
        names: one name per factor.
    """

    codes: NDArray[np.float64]
    factors: NDArray[np.int64]
    names: tuple[str, ...]

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of each dimension, 0 where it is rounding alone."""
        magnitude = np.abs(self.codes).max(axis=0)
        relative = (self.codes / np.where(magnitude > 0, magnitude, 1.0)).std(axis=0)
        return np.where(relative > ROUNDING, relative * magnitude, 0.0)

    def details(self) -> dict[str, Any]:
        """What every metric says of the codes: their spread, and which dimensions are dead."""
        return {
            "code_std": self.std.tolist(),
            "dead_dimensions": np.flatnonzero(self.std == 0).tolist(),
            "nearly_constant": bool(self.std.max() < NEARLY_CONSTANT),
        }


def check_arrays(codes: object, factors: object, names: Sequence[str] | None = None) -> Arrays:
    """Check codes and factors, and bring them to one type.

    Args:
        codes: (n, latent_dim) floats; a NumPy array, a tensor on any device, or array-like.
        factors: (n, n_factors) integers; whole floats are taken as integers.
        names: one name per factor; "factor 0" and so on if None.

    Raises:
        ValueError: the arrays are not of these shapes, or of different lengths; fewer than 2
            samples; NaN or infinite codes; factors that are not whole; a factor with one value;
            names that are not one per factor, or not distinct.
    """
    z, v = _as_array(codes).astype(np.float64), _as_array(factors)
    if z.ndim != 2 or v.ndim != 2 or 0 in z.shape or 0 in v.shape:
        raise ValueError(
            f"expected codes (n, latent_dim) and factors (n, n_factors), got shapes {z.shape} and "
            f"{v.shape}; give one factor as a column, factors[:, None]"
        )
    if len(z) != len(v):
        raise ValueError(f"{len(z)} codes but {len(v)} rows of factors: expected one row per code")
    if len(z) < 2:
        raise ValueError("expected at least 2 samples, got 1")
    if not np.isfinite(z).all():
        bad = np.flatnonzero(~np.isfinite(z).all(axis=0)).tolist()
        raise ValueError(f"codes hold NaN or infinite values, in dimensions {bad}")
    whole = v.astype(np.int64) if v.dtype.kind in "biuf" and np.isfinite(v).all() else None
    if whole is None or (whole != v).any():
        raise ValueError(
            "factors must be integers, the index of each value: "
            "np.unique(column, return_inverse=True)[1] gives them"
        )
    labels = tuple(names) if names is not None else tuple(f"factor {k}" for k in range(v.shape[1]))
    if len(labels) != v.shape[1]:
        raise ValueError(f"{len(labels)} names for {v.shape[1]} factors")
    if len(set(labels)) != len(labels):
        raise ValueError(f"expected a different name for each factor, got {labels}")
    for name, column in zip(labels, whole.T, strict=True):
        if (column == column[0]).all():
            raise ValueError(f"{name!r} has one value, which no code can predict: drop its column")
    return Arrays(z, whole, labels)


def _as_array(values: object) -> NDArray[Any]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        return values.double().numpy() if values.is_floating_point() else values.numpy()
    return np.asarray(values)
