"""What a metric returns: a number that remembers how it came about."""

from typing import Any


class Score(float):
    """A float with the details behind it.

    Attributes:
        name: the metric.
        per_factor: the metric's value of each factor, by name, where it is defined.
        details: what else was computed on the way, as plain JSON values.
    """

    name: str
    per_factor: dict[str, float]
    details: dict[str, Any]

    def __new__(
        cls,
        value: float,
        name: str,
        per_factor: dict[str, float] | None = None,
        details: dict[str, Any] | None = None,
    ) -> "Score":
        """Make a score of ``value``."""
        self = super().__new__(cls, value)
        self.name = name
        self.per_factor = {factor: float(value) for factor, value in (per_factor or {}).items()}
        self.details = details or {}
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Arguments to copy and unpickle with."""
        return float(self), self.name, self.per_factor, self.details

    def __repr__(self) -> str:
        return f"{self.name} = {float(self):.4f}"

    def to_json(self) -> dict[str, Any]:
        """The value and all details, as plain JSON values."""
        return {"value": float(self), "per_factor": self.per_factor, "details": self.details}


class Scores(dict[str, Score]):
    """Scores by the name of their metric; printed as a table."""

    def __str__(self) -> str:
        factors = list(dict.fromkeys(k for score in self.values() for k in score.per_factor))
        rows = [["metric", "score", *factors]]
        for name, score in self.items():
            cells = [f"{score.per_factor[k]:.3f}" if k in score.per_factor else "" for k in factors]
            rows.append([name, f"{score:.3f}", *cells])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join(line.rstrip() for line in lines)

    def to_json(self) -> dict[str, Any]:
        """All scores with their details, as plain JSON values."""
        return {name: score.to_json() for name, score in self.items()}
