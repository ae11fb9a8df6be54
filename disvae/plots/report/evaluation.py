"""What ``disvae evaluate`` left in a run directory, read with care: files come from anywhere."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from disvae.divergence import KLDecomposition
from disvae.metrics import Score

MODELS = ("trained", "untrained")
Z = 1.96  # standard errors on either side: 95 %


@dataclass(frozen=True)
class Entry:
    """A number of a table, perhaps with its standard error; ``value`` None if it is no number."""

    value: float | None
    error: float | None = None
    per_factor: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of 95 %, where the error is known."""
        if self.value is None or self.error is None:
            return None
        return self.value - Z * self.error, self.value + Z * self.error


Entries = dict[str, Entry]  # by the name of their metric


def read_evaluation(folder: Path) -> dict[str, Any]:
    """The content of ``evaluation.json``; empty if there is none.

    Raises:
        ValueError: it is damaged.
    """
    file = folder / "evaluation.json"
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is not JSON ({error}): delete it or evaluate again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file} is no evaluation: delete it or evaluate again")
    return content


def stored_scores(evaluation: Mapping[str, Any]) -> dict[str, Entries]:
    """The scores of each model in an evaluation, "trained" and perhaps "untrained".

    Raises:
        ValueError: they do not have the form that ``disvae evaluate`` writes.
    """
    found = {name: evaluation[name] for name in MODELS if evaluation.get(name)}
    try:
        return {
            model: {metric: _entry(score) for metric, score in scores.items()}
            for model, scores in found.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _malformed("scores") from error


def stored_skipped(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """Why a metric is not among the scores, by its name."""
    skipped = evaluation.get("skipped")
    return {str(k): str(v) for k, v in skipped.items()} if isinstance(skipped, dict) else {}


def stored_decomposition(evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The decomposition of the trained model in an evaluation: terms, n_codes and n_images.

    Raises:
        ValueError: it does not have the form that ``disvae evaluate`` writes.
    """
    part = evaluation.get("decomposition")
    if not part:
        return None
    try:
        measured = part["trained"]
        errors = measured["standard_error"]
        terms = {
            name: Entry(float(measured["mean"][name]), _number(errors[name]))
            for name in KLDecomposition._fields
        }
        sizes = {name: int(measured[name]) for name in ("n_codes", "n_images")}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _malformed("decomposition") from error
    return {"terms": terms, **sizes}


def entries(scores: Mapping[str, Score]) -> Entries:
    """Scores that were just computed, in the same form."""
    return {name: _entry(score.to_json()) for name, score in scores.items()}


def _entry(score: Mapping[str, Any]) -> Entry:
    return Entry(
        _number(score["value"]),
        _number(score.get("standard_error")),
        {str(k): _number(v) for k, v in (score.get("per_factor") or {}).items()},
    )


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _malformed(what: str) -> ValueError:
    return ValueError(
        f"the {what} in evaluation.json are not as `disvae evaluate` writes them: delete the file "
        "or evaluate again"
    )
