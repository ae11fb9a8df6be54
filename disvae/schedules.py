"""Weights that change during training: pure functions of the step."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
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
    """From ``start`` to ``end`` in a straight line over ``steps`` steps, then constant: a warm-up.

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
        _check_length("steps", self.steps)

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        return self.start + (self.end - self.start) * _progress(step, 0, self.steps)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From ``start`` to ``end`` along half a cosine over ``steps`` steps, then constant.

    Slow at both ends, fastest in the middle.

    Args:
        start: value at step 0.
        end: value from step ``steps`` on, and in evaluation.
        steps: length of the ramp, at least 1.

    Raises:
        ValueError: ``steps`` is less than 1.

    Example:
        >>> [round(Cosine(0.0, 1.0, steps=4)(step), 3) for step in range(6)]
        [0.0, 0.146, 0.5, 0.854, 1.0, 1.0]
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_length("steps", self.steps)

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        angle = math.pi * _progress(step, 0, self.steps)
        cosine = angle.cos() if isinstance(angle, Tensor) else math.cos(angle)
        return self.start + (self.end - self.start) * (1 - cosine) / 2


@dataclass(frozen=True)
class Cyclical(Schedule):
    """Cycles that rise from ``start`` to ``end``, then hold; constant after the last of them.

    Args:
        start: value at the start of each cycle.
        end: value that each rises to, and the one after the last cycle and in evaluation.
        period: steps of a cycle, at least 1.
        cycles: how many of them, at least 1; 4 in the paper.
        rising: the part of a cycle in which the value rises, in (0, 1]; the rest it holds.

    Raises:
        ValueError: a number outside its range.

    Reference:
        Cyclical Annealing Schedule, Fu et al. 2019, https://arxiv.org/abs/1903.10145, equation 6.

    Example:
        >>> schedule = Cyclical(0.0, 1.0, period=4, cycles=2)
        >>> [schedule(step) for step in range(10)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    """

    start: float
    end: float
    period: int
    cycles: int = 4
    rising: float = 0.5

    def __post_init__(self) -> None:
        _check_length("period", self.period)
        _check_length("cycles", self.cycles)
        if not 0 < self.rising <= 1:
            raise ValueError(f"rising must be a part of a cycle in (0, 1], got {self.rising}")

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        if step is None:
            return self.end
        past = step >= self.period * self.cycles
        progress = _progress(step % self.period, 0, self.period * self.rising)
        if isinstance(progress, Tensor):
            progress = torch.where(torch.as_tensor(past), torch.ones_like(progress), progress)
        elif past:
            progress = 1.0
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True)
class Piecewise(Schedule):
    """Straight lines between given points, constant before the first and after the last.

    Two points at neighbouring steps make a jump. A wait, a warm-up and a hold is three points.

    Args:
        points: pairs (step, value), the steps rising.

    Raises:
        ValueError: no points, or steps that do not rise.

    Example:
        >>> wait_then_rise = Piecewise([(1_000, 0.0), (5_000, 4.0)])
        >>> [wait_then_rise(step) for step in (0, 1_000, 3_000, 9_000, None)]
        [0.0, 0.0, 2.0, 4.0, 4.0]
    """

    points: Sequence[tuple[int, float]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", tuple((step, value) for step, value in self.points))
        steps = [step for step, _ in self.points]
        if not steps or any(a >= b for a, b in pairwise(steps)):
            raise ValueError(f"expected points (step, value) with rising steps, got {self.points}")

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        if step is None:
            return self.points[-1][1]
        value: float | Tensor = self.points[0][1]
        for (begin, low), (end, high) in pairwise(self.points):
            value = value + (high - low) * _progress(step, begin, end)
        return value


@dataclass(frozen=True)
class Shifted(Schedule):
    """Another schedule plus a constant.

    Args:
        schedule: the other one.
        by: what is added to it.

    Example:
        >>> Shifted(Linear(0.0, 35.0, steps=10), by=1.0)(10)
        36.0
    """

    schedule: Schedule
    by: float

    def __call__(self, step: int | Tensor | None) -> float | Tensor:
        """The value at ``step``."""
        return self.schedule(step) + self.by


def plus(weight: Weight, constant: float) -> Weight:
    """A constant or scheduled weight plus a constant."""
    return Shifted(weight, constant) if isinstance(weight, Schedule) else weight + constant


def at_step(weight: Weight, step: int | Tensor | None) -> float | Tensor:
    """The value of a constant or scheduled weight at ``step``."""
    return weight(step) if isinstance(weight, Schedule) else weight


def _progress(step: int | Tensor | None, begin: float, end: float) -> float | Tensor:
    """How much of the way from ``begin`` to ``end`` is done, from 0 to 1."""
    if step is None:
        return 1.0
    ratio = (step - begin) / (end - begin)
    return ratio.clamp(0.0, 1.0) if isinstance(ratio, Tensor) else min(max(ratio, 0.0), 1.0)


def _check_length(name: str, length: int) -> None:
    if length < 1:
        raise ValueError(f"a schedule needs at least 1 step, got {name}={length}")
