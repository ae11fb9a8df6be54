"""A user's own table of factors: any values, numbered from 0."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.factors import FactorSpace

# What pandas and spreadsheets call a column that somebody wrote without a name.
UNNAMED = ("", "Unnamed: 0")

_MISSING = "the factor {!r} has values that are missing: every image needs one"


def factor_table(
    factors: Any, names: Sequence[str] | None = None
) -> tuple[Int[Tensor, "n n_factors"], FactorSpace]:
    """Number the values of each factor in their order, from 0 on and without gaps.

    Args:
        factors: a row per image, a column per factor: numbers, words, dates or truth values, in an
            array, a tensor, nested lists or a data frame.
        names: of the factors; the columns of a data frame have their own.

    Returns:
        The index of each value, and the space that says what the indices stand for.

    Raises:
        ValueError: no table; no names, or not one for each column; a column without a name; or a
            value that is missing or NaN.

    Example:
        >>> table, space = factor_table([["cat", 30], ["dog", 10], ["cat", 10]], ("animal", "size"))
        >>> table.tolist(), space.values
        ([[0, 1], [1, 0], [0, 0]], (('cat', 'dog'), (10, 30)))
    """
    columns, found = _columns(factors)
    names = tuple(map(str, found if names is None else names))
    if not names or len(names) != len(columns):
        raise ValueError(
            f"expected one name for each of the {len(columns)} columns of factors, got {names}"
        )
    unnamed = [k for k, name in enumerate(names) if name in UNNAMED]
    if unnamed:
        raise ValueError(
            f"column {unnamed[0]} of the factors has no name: it looks like the numbers of the "
            "rows. Leave it out (in pandas: index_col=0, or to_csv(index=False)), or name it"
        )
    numbered = [_numbered(column, name) for column, name in zip(columns, names, strict=True)]
    indices = torch.stack([torch.from_numpy(index) for index, _ in numbered], dim=1)
    values = tuple(values for _, values in numbered)
    return indices, FactorSpace(names, tuple(map(len, values)), values)


def _columns(factors: Any) -> tuple[list[np.ndarray], Sequence[Any]]:
    """The columns of a table, each with a type of its own, and their names where it has them."""
    if hasattr(factors, "isna") and hasattr(factors, "columns"):  # a data frame
        names = list(factors.columns)
        for name, missing in zip(names, factors.isna().to_numpy().any(axis=0), strict=True):
            if missing:
                raise ValueError(_MISSING.format(name))
        return [factors[name].to_numpy() for name in names], names
    if isinstance(factors, Tensor):
        factors = factors.detach().cpu().numpy()
    # Of lists as objects first: NumPy would make words of the numbers beside them.
    table = factors if isinstance(factors, np.ndarray) else np.asarray(factors, dtype=object)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(
            "expected a table of factors, a row per image and a column per factor, got shape "
            f"{table.shape}"
        )
    return list(table.T), ()


def _numbered(column: np.ndarray, name: str) -> tuple[np.ndarray, tuple[Any, ...]]:
    if column.dtype == object:
        if any(value is None or value != value for value in column):  # NaN differs from NaN
            raise ValueError(_MISSING.format(name))
        column = np.array(list(column))
    if column.dtype.kind in "fmM" and not (column == column).all():
        raise ValueError(_MISSING.format(name))
    try:
        values, index = np.unique(column, return_inverse=True)
    except TypeError:
        raise ValueError(
            f"the values of the factor {name!r} have no order: give numbers, words or dates"
        ) from None
    shown = values.astype("datetime64[us]") if column.dtype.kind == "M" else values
    return index.astype(np.int64), tuple(shown.tolist())
