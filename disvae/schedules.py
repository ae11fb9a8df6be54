"""Weights that change during training: pure functions of the step."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor


class Schedule(ABC):
    """A pure function of the step.

    The step is an int, a 0-dimensional tensor (so that a compiled or captured training step sees it
    change), or None, which means that the schedule is over: evaluation.
    """

    @abstractmethod
    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""


Weight = float | Schedule


@dataclass(frozen=True)
class Linear(Schedule):
    """From ``start`` to ``end`` in a straight line over ``steps`` steps, then constant.

    Args:
        start: value at step 0.
        end: value from step ``steps`` on, and in evaluation.
        steps: length of the ramp, at least 1.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> capacity = Linear(0.0, 25.0, steps=100_000)
        >>> capacity(0), capacity(50_000), capacity(200_000), capacity(None)
        (0.0, 12.5, 25.0, 25.0)
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a schedule needs at least 1 step, got steps={self.steps}")

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        if step is None:
            return self.end
        ratio = step / self.steps
        progress = ratio.clamp(max=1.0) if isinstance(ratio, Tensor) else min(ratio, 1.0)
        return self.start + (self.end - self.start) * progress


def at_step(weight: Weight, step: int | Tensor | None) -> float | Tensor:
    """The value of a constant or scheduled weight at ``step``."""
    return weight(step) if isinstance(weight, Schedule) else weight
