"""What a metric returns: a number that remembers how it came about."""

import math
from collections.abc import Iterable, Mapping
from typing import Any


class Score(float):
    """A float with the details behind it.

    Attributes:
        name: the metric.
        per_factor: the metric's value of each factor, by name, where it is defined.
        per_code: the metric's value of each dimension, by its number, where it is defined.
        details: what else was computed on the way, as plain JSON values.
        parts: further numbers of the same computation, as DCI has three.
        standard_error: of the value, where it was asked for.
    """

    name: str
    per_factor: dict[str, float]
    per_code: dict[int, float]
    details: dict[str, Any]
    parts: "tuple[Score, ...]"
    standard_error: float | None

    def __new__(
        cls,
        value: float,
        name: str,
        per_factor: Mapping[str, float] | None = None,
        details: dict[str, Any] | None = None,
        per_code: Mapping[int, float] | None = None,
        parts: "Iterable[Score]" = (),
        standard_error: float | None = None,
    ) -> "Score":
        """Make a score of ``value``."""
        self = super().__new__(cls, value)
        self.name = name
        self.per_factor = {factor: float(value) for factor, value in (per_factor or {}).items()}
        self.per_code = {int(j): float(value) for j, value in (per_code or {}).items()}
        self.details = details or {}
        self.parts = tuple(parts)
        self.standard_error = standard_error
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Arguments to copy and unpickle with."""
        return (
            float(self),
            self.name,
            self.per_factor,
            self.details,
            self.per_code,
            self.parts,
            self.standard_error,
        )

    def __repr__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.4f}"
        return f"{self.name} = {float(self):.4f}{error}"

    def interval(self, z: float = 1.96) -> tuple[float, float]:
        """Value ± ``z`` standard errors, an interval of 95 % by default.

        Raises:
            ValueError: the standard error was not asked for.
        """
        if self.standard_error is None:
            raise ValueError(f"{self.name} has no standard error: see disvae.metrics.with_error")
        return float(self) - z * self.standard_error, float(self) + z * self.standard_error

    def to_json(self) -> dict[str, Any]:
        """The value and all details, as plain JSON values; null for what is not a number."""
        return {
            "value": _plain(float(self)),
            "standard_error": self.standard_error,
            "per_factor": {name: _plain(value) for name, value in self.per_factor.items()},
            "per_code": {str(j): _plain(value) for j, value in self.per_code.items()},
            "details": self.details,
        }


class Scores(dict[str, Score]):
    """Scores by the name of their metric; printed as a table.

    Attributes:
        skipped: why a metric could not be computed, by its name.
    """

    def __init__(
        self, scores: Mapping[str, Score] | None = None, skipped: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(scores or {})
        self.skipped = dict(skipped or {})

    def __str__(self) -> str:
        factors = list(dict.fromkeys(k for score in self.values() for k in score.per_factor))
        errors = any(score.standard_error is not None for score in self.values())
        rows = [["metric", "score", *(["error"] if errors else []), *factors]]
        for name, score in self.items():
            error = "" if score.standard_error is None else f"{score.standard_error:.3f}"
            cells = [f"{score.per_factor[k]:.3f}" if k in score.per_factor else "" for k in factors]
            rows.append([name, f"{score:.3f}", *([error] if errors else []), *cells])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        lines += [f"{name}: not computed: {why}" for name, why in self.skipped.items()]
        return "\n".join(line.rstrip() for line in lines)

    def to_json(self) -> dict[str, Any]:
        """All scores with their details, as plain JSON values."""
        return {name: score.to_json() for name, score in self.items()}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
