"""The runs of a sweep over the weights of losses, as records."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disvae.training import Run, load_run, read_log

RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True)
class SweepRecord:
    """What one run of a sweep came to; :func:`read_sweep` makes them of run directories.

    Attributes:
        loss: the loss, by the name of its class.
        weight: the value of its weight; None for a loss without one, such as a plain VAE's.
        reconstruction: E[-log p(x|z)] at the end of training, in nats per image.
        scores: metrics by their names.
        symbol: what the weight is called, such as "gamma".
        seed: of the run.
    """

    loss: str
    weight: float | None
    reconstruction: float
    scores: Mapping[str, float] = field(default_factory=dict)
    symbol: str = "weight"
    seed: int = 0


@dataclass(frozen=True)
class Setting:
    """The runs of a sweep that differ in their seed alone.

    Attributes:
        loss, weight, symbol: see :class:`SweepRecord`.
        records: of these runs.
    """

    loss: str
    weight: float | None
    symbol: str
    records: tuple[SweepRecord, ...]

    def values(self, quantity: str) -> NDArray[np.float64]:
        """``reconstruction``, or a score by its name, of each run that has it."""
        if quantity == RECONSTRUCTION:
            return np.array([record.reconstruction for record in self.records], dtype=np.float64)
        found = (record.scores.get(quantity) for record in self.records)
        return np.array([value for value in found if value is not None], dtype=np.float64)


def settings(records: Sequence[SweepRecord]) -> list[Setting]:
    """The records in groups of one loss and weight: losses as they come, weights ascending.

    Raises:
        ValueError: no records, or two of the same loss, weight and seed.
    """
    if not records:
        raise ValueError("a sweep needs one record at least, got none")
    groups: dict[tuple[str, float | None], list[SweepRecord]] = {}
    for record in records:
        group = groups.setdefault((record.loss, record.weight), [])
        if any(other.seed == record.seed for other in group):
            raise ValueError(
                f"two records are of {record.loss} with {record.symbol} = {record.weight} and the "
                f"seed {record.seed}: give each run once, and another seed to each"
            )
        group.append(record)
    order = list(dict.fromkeys(loss for loss, _ in groups))
    made = [Setting(loss, w, group[0].symbol, tuple(group)) for (loss, w), group in groups.items()]
    return sorted(made, key=lambda s: (order.index(s.loss), _rank(s.weight)))


def _rank(weight: float | None) -> float:
    return -math.inf if weight is None else weight


def read_sweep(runs: Sequence[str | Path]) -> list[SweepRecord]:
    """One record of each run directory: its loss, its weight, and what came of them.

    The weight is the one number among the arguments of a loss that differs between the runs with
    that loss; a loss whose runs differ in the seed alone has none. The reconstruction is that of
    the last line of the log, the scores those of ``evaluation.json``.

    Args:
        runs: folders that ``disvae train`` and ``disvae evaluate``, or their Python counterparts,
            have left.

    Raises:
        FileNotFoundError: one is not a run directory, or was not evaluated.
        ValueError: runs of one loss that differ in more than one weight and the seed, or a loss
            that reconstructs nothing.

    Example:
        >>> records = read_sweep(["runs/beta-1", "runs/beta-4"])  # doctest: +SKIP
        >>> records[1].symbol, records[1].weight  # doctest: +SKIP
        ('beta', 4.0)
    """
    opened = [load_run(path) for path in runs]
    families: dict[str, list[Run]] = {}
    for run in opened:
        families.setdefault(_loss(run), []).append(run)
    symbols = {loss: _symbol(loss, family) for loss, family in families.items()}
    return [_record(run, symbols[_loss(run)]) for run in opened]


def _loss(run: Run) -> str:
    spec = run.config["loss"]
    if spec is None:
        raise ValueError(f"{run.path} does not say how its loss was made: make its record yourself")
    return str(spec["class_path"]).rpartition(".")[2]


def _symbol(loss: str, runs: Sequence[Run]) -> str | None:
    """The argument of the loss that differs between its runs, if one does."""
    settings = [_flat({**run.config, "seed": None, "provenance": None}) for run in runs]
    keys = dict.fromkeys(key for setting in settings for key in setting)
    varied = [k for k in keys if len({repr(setting.get(k)) for setting in settings}) > 1]
    if not varied:
        return None
    numbers = [setting.get(varied[0]) for setting in settings]
    is_weight = varied[0].startswith("loss.") and all(isinstance(n, (int, float)) for n in numbers)
    if len(varied) > 1 or not is_weight:
        raise ValueError(
            f"the runs with {loss} differ in {', '.join(varied)}: a sweep has one weight for each "
            "loss, a number, and all else alike but the seed"
        )
    return varied[0]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys; without the words that say how to build things."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = prefix if key == "init_args" else f"{prefix}.{key}" if prefix else key
        flat |= _flat(item, name)
    return flat


def _record(run: Run, symbol: str | None) -> SweepRecord:
    file = run.path / "evaluation.json"
    if not file.is_file():
        raise FileNotFoundError(f"{run.path} was not evaluated: `disvae evaluate {run.path}` first")
    report = json.loads(file.read_text(encoding="utf-8")).get("trained", {})
    scores = {name: score["value"] for name, score in report.items() if score["value"] is not None}
    last = read_log(run.path)[-1]
    if RECONSTRUCTION not in last:
        raise ValueError(
            f"a sweep compares scores with the reconstruction, which {_loss(run)} has none of in "
            f"the log of {run.path}: make its record yourself, or draw it by disvae plot RUN curves"
        )
    return SweepRecord(
        loss=_loss(run),
        weight=None if symbol is None else float(_flat(run.config)[symbol]),
        reconstruction=last[RECONSTRUCTION],
        scores=scores,
        symbol=(symbol or "weight").rpartition(".")[2],
        seed=run.config["seed"],
    )
