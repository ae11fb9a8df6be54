"""Charts of curves as numbers that a template can put into SVG."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from disvae.plots.report.log import Curve

WIDTH, HEIGHT = 300, 170  # of a chart, in its own units
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 22  # margins
CUT = 0.02  # of the points at either end may lie outside, where they would flatten all others
FLATTENED = 3  # times the range of the others


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    place: float
    label: str


@dataclass(frozen=True)
class Line:
    """The curve of one run.

    Attributes:
        run: number of the run: its colour.
        name: the run's.
        points: as SVG's ``points`` has them.
        last: the last value, as text.
        data: "step,value" pairs for the page's script, separated by spaces.
    """

    run: int
    name: str
    points: str
    last: str
    data: str


@dataclass(frozen=True)
class Chart:
    """One quantity over the steps, a line a run."""

    name: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    low: float
    high: float
    end: float


def make_charts(runs: Mapping[str, Mapping[str, Curve]]) -> list[Chart]:
    """A chart for each quantity that any of the runs has logged.

    Args:
        runs: the curves of each run, by its name.
    """
    names = dict.fromkeys(name for curves in runs.values() for name in curves)
    steps = [step for curves in runs.values() for curve in curves.values() for step, _ in curve]
    end = max(steps, default=0.0) or 1.0
    return [_chart(name, runs, end) for name in names]


def _chart(name: str, runs: Mapping[str, Mapping[str, Curve]], end: float) -> Chart:
    curves = {run: curves[name] for run, curves in runs.items() if name in curves}
    low, high = value_range([value for curve in curves.values() for _, value in curve])
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(step: float) -> float:
        return LEFT + inner_width * step / end

    def y(value: float) -> float:
        return TOP + inner_height * (high - value) / (high - low)

    lines = []
    for number, run in enumerate(runs):
        if run in curves:
            points = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in curves[run])
            data = " ".join(f"{s:g},{v:.5g}" for s, v in curves[run])
            lines.append(Line(number, run, points, short(curves[run][-1][1]), data))
    x_ticks = [Tick(x(0.0), "0"), Tick(x(end), f"{end:,.0f} steps")]
    y_ticks = [Tick(y(value), short(value)) for value in ticks(low, high)]
    return Chart(name, x_ticks, y_ticks, lines, low, high, end)


def value_range(values: list[float]) -> tuple[float, float]:
    """The range of the values, or of nearly all if a few flatten the rest, with room; not empty."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    if len(ordered) > 10:
        cut = max(1, int(CUT * len(ordered)))
        inner_low, inner_high = ordered[cut], ordered[-1 - cut]
        if high - low > FLATTENED * (inner_high - inner_low) > 0:
            low, high = inner_low, inner_high
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round values from low to high, at most so many: steps of 1, 2 or 5 times a power of 10."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def short(value: float) -> str:
    """A number in few characters: 12k, 0.25, 1e+09.

    Example:
        >>> short(12_000), short(0.25), short(123.456)
        ('12k', '0.25', '123')
    """
    size = abs(value)
    if 10_000 <= size < 1e6:
        text = f"{value / 1000:.3g}k"
    else:
        text = f"{value:.0f}" if 100 <= size < 10_000 else f"{value:.3g}"
    return text.replace("-", "\u2212", 1) if value < 0 else text
