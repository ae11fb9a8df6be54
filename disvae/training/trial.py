"""Steps on copies of a trainer's model and loss, to find out how long they take."""

import copy
import math
import time
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from disvae.training.captured import WARM_UP
from disvae.training.precision import Precision

if TYPE_CHECKING:
    from disvae.training.trainer import Trainer

TIMED = 5  # steps
LIMIT = 0.6  # seconds after which no further step is taken

# A trial writes and shows nothing.
_ALONE: dict[str, Any] = {
    "run_dir": None,
    "devices": 1,
    "decompose_every": 0,
    "keep_every": 0,
    "monitor": None,
    "patience": None,
    "loggers": (),
    "progress": False,
}


def seconds_per_step(
    trainer: "Trainer", first_batch: Callable[[], Any], precision: Precision, threads: int | None
) -> float:
    """Measure how long a training step takes, by a few steps on copies.

    The trainer, its weights, their gradients and the state of randomness remain as they are.

    Args:
        trainer: whose steps.
        first_batch: gives the batch that all steps take.
        precision: of the steps.
        threads: of the steps, None to leave them as they are.

    Returns:
        The median in seconds; infinity if a step fails.
    """
    try:
        clock = _Clock(first_batch(), trainer.device)
        model, criterion = copy.deepcopy((trainer.model, trainer.criterion))
        arguments = {**trainer.arguments, **_ALONE, "precision": precision, "threads": threads}
        copied = type(trainer)(model.float(), criterion.float(), **arguments)
        copied.conditions.tries = False
        with suppress(_EnoughError):
            copied.fit(clock, steps=clock.steps)
    except Exception:  # the run itself is going to fail the same way, and to say why
        return math.inf
    return clock.seconds


class _EnoughError(Exception):
    """Ends a trial."""


class _Clock:
    """Source of the same batch for all steps that times them, and ends the trial in time."""

    def __init__(self, batch: Any, device: torch.device) -> None:
        self._batch, self._device = batch, device
        # A GPU's steps count from where they are recorded on.
        self._warm = 1 if device.type == "cpu" else WARM_UP + 2
        self.steps = self._warm + TIMED + 1
        self._moments: list[float] = []

    def batch(self, step: int) -> Any:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._moments.append(time.perf_counter())
        late = self._moments[-1] - self._moments[0] > LIMIT and len(self._moments) > self._warm
        if late or len(self._moments) == self.steps:
            raise _EnoughError
        return self._batch

    @property
    def seconds(self) -> float:
        durations = [b - a for a, b in zip(self._moments, self._moments[1:], strict=False)]
        return median(durations[self._warm :] or durations[-1:])
