"""The curves of a run's log, thinned for a page."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from disvae.training.log import MEASURED

MOST_POINTS = 300  # of one curve

Curve = list[tuple[float, float]]  # (step, value)


def read_curves(folder: Path) -> dict[str, Curve]:
    """Every quantity of ``log.jsonl`` over the steps, in the log's order; none without a log.

    More points than a page can show are averaged over stretches of neighbours.

    Raises:
        ValueError: a line is no log line.
    """
    curves: dict[str, Curve] = {}
    for step, record in _records(folder / "log.jsonl"):
        for name, value in record.items():
            if math.isfinite(value):
                curves.setdefault(name, []).append((step, value))
    return {name: thin(curve) for name, curve in curves.items()}


def terms(curves: dict[str, Curve]) -> dict[str, Curve]:
    """The quantities of the objective, without those of the machine."""
    return {name: curve for name, curve in curves.items() if name not in MEASURED}


def machine(curves: dict[str, Curve]) -> dict[str, Curve]:
    """The quantities of the machine: speed, times and memory."""
    return {name: curve for name, curve in curves.items() if name in MEASURED}


def thin(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """At most so many points: the means of stretches of equally many neighbours, but the last."""
    if len(curve) <= most:
        return curve
    stretch = math.ceil(len(curve) / (most - 1))
    parts = [curve[start : start + stretch] for start in range(0, len(curve), stretch)]
    means = [tuple(sum(axis) / len(part) for axis in zip(*part, strict=True)) for part in parts]
    return [(step, value) for step, value in means if step < curve[-1][0]] + curve[-1:]


def json_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of JSON lines; none without a file.

    A last line that was cut short as its process was killed is left out.

    Raises:
        ValueError: a whole line is no record.
    """
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            return
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise ValueError(f"{file} holds a line that is no record: {line.strip()[:80]!r}")
        yield record


def _records(file: Path) -> Iterator[tuple[float, dict[str, float]]]:
    for record in json_lines(file):
        try:
            numbers = {name: float(value) for name, value in record.items()}
            yield numbers.pop("step"), numbers
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file} holds a line that is no log line: {record}") from error
