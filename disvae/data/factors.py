"""Factors of variation: the grid of all their combinations."""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class FactorSpace:
    """Every combination of some discrete factors, numbered with the last factor fastest.

    Args:
        names: one name per factor.
        sizes: how many values each factor has.
        values: what the indices of each factor stand for, in their order: numbers, words, dates. If
            empty, the indices themselves.

    Raises:
        ValueError: names, sizes and values of different lengths, none at all, a name twice, or a
            size below 1.

    Example:
        >>> space = FactorSpace(("shape", "x"), (3, 4))
        >>> len(space), space.factors([5]).tolist(), space.indices([[1, 1]]).tolist()
        (12, [[1, 1]], [5])
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    values: tuple[tuple[Any, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.names or len(self.names) != len(self.sizes):
            raise ValueError(
                f"expected one size per name, got {len(self.names)} names and {len(self.sizes)} "
                "sizes"
            )
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"factor names must differ, got {self.names}")
        if min(self.sizes) < 1:
            raise ValueError(f"a factor has at least one value, got sizes {self.sizes}")
        if self.values and tuple(map(len, self.values)) != tuple(self.sizes):
            raise ValueError(f"sizes {self.sizes}, but {tuple(map(len, self.values))} values")

    def __len__(self) -> int:
        return math.prod(self.sizes)

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.names)

    def value(self, name: str, index: int) -> Any:
        """What an index of the factor ``name`` stands for.

        Raises:
            ValueError: no such factor, or an index outside of its range.
        """
        k = self.position(name, index)
        return self.values[k][index] if self.values else index

    def only(self, columns: Sequence[int]) -> "FactorSpace":
        """The space of some of the factors."""
        names, sizes = tuple(self.names[k] for k in columns), tuple(self.sizes[k] for k in columns)
        return FactorSpace(
            names, sizes, tuple(self.values[k] for k in columns) if self.values else ()
        )

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of each index.

        Args:
            indices: int64 (n,), or anything that becomes it.

        Raises:
            ValueError: an index outside of 0 to ``len(self) - 1``.
        """
        rest = as_indices(indices, len(self))
        columns = []
        for size in reversed(self.sizes):
            columns.append(rest % size)
            rest = rest // size
        return torch.stack(columns[::-1], dim=1)

    def indices(self, factors: object) -> Int[Tensor, " n"]:
        """The index of each combination of factors.

        Args:
            factors: int64 (n, n_factors), or anything that becomes it.

        Raises:
            ValueError: another shape, a factor outside of its range, or more combinations than an
                int64 can number.
        """
        if math.prod(self.sizes) > torch.iinfo(torch.int64).max:
            raise ValueError(f"factors of sizes {self.sizes} have too many combinations to number")
        table = torch.as_tensor(factors)
        if table.dim() != 2 or table.shape[1] != len(self.sizes) or table.is_floating_point():
            raise ValueError(
                f"expected integer factors of shape (n, {len(self.sizes)}), got {table.dtype} of "
                f"shape {tuple(table.shape)}"
            )
        sizes = torch.tensor(self.sizes)
        if bool(((table < 0) | (table >= sizes)).any()):
            raise ValueError(f"a factor is outside of its range: {self.names} have {self.sizes}")
        index = torch.zeros(len(table), dtype=torch.int64)
        for column, size in zip(table.long().unbind(1), self.sizes, strict=True):
            index = index * size + column
        return index

    def sample(
        self,
        n: int,
        generator: torch.Generator | None = None,
        fixed: Mapping[str, int] | None = None,
    ) -> Int[Tensor, "n n_factors"]:
        """Draw combinations uniformly, with replacement.

        Args:
            n: how many.
            generator: source of the draws; PyTorch's global one if None.
            fixed: value of each factor that all of them share.

        Raises:
            ValueError: ``fixed`` names no factor, or a value outside of its range.
            TypeError: a fixed value that is not an integer.
        """
        columns = [torch.randint(size, (n,), generator=generator) for size in self.sizes]
        for name, value in (fixed or {}).items():
            columns[self.position(name, value)] = torch.full((n,), value)
        return torch.stack(columns, dim=1)

    def position(self, name: str, value: int = 0) -> int:
        """The column of the factor ``name``, which must have the value ``value``."""
        if name not in self.names:
            raise ValueError(f"no factor {name!r}; the factors are {', '.join(self.names)}")
        k = self.names.index(name)
        if not 0 <= operator.index(value) < self.sizes[k]:
            raise ValueError(f"{name} has values 0 to {self.sizes[k] - 1}, got {value}")
        return k


def as_indices(indices: object, length: int) -> Int[Tensor, " n"]:
    """Indices as an int64 tensor of one dimension, each within 0 to ``length - 1``."""
    array = torch.as_tensor(indices)
    if array.numel() == 0:
        array = array.long()
    if array.dim() != 1 or array.is_floating_point() or array.dtype == torch.bool:
        raise ValueError(
            f"expected integer indices of shape (n,), got {array.dtype} of shape "
            f"{tuple(array.shape)}"
        )
    if len(array) and (int(array.min()) < 0 or int(array.max()) >= length):
        raise ValueError(
            f"indices must be from 0 to {length - 1}, got {int(array.min())} to {int(array.max())}"
        )
    return array.long().cpu()
