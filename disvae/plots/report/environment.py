"""Jinja's templates, and the functions that they use."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

ABBREVIATIONS = {"kl": "KL", "dimension_wise_kl": "dimension-wise KL"}


def make_environment() -> "Environment":
    """Templates whose every value is escaped: names and settings of runs come from anywhere."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("disvae.plots.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"words": words, "symbol": symbol, "number": number}
    environment.globals |= {"place": place, "nearest": nearest, "share_of": share_of}
    return environment


def words(name: Any) -> str:
    """A name as prose: "position_x" is "position x"."""
    return ABBREVIATIONS.get(str(name), str(name).replace("_", " "))


def symbol(number: int) -> str:
    """Dimension 12 as z with a lowered number."""
    return "z" + str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many decimals, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def place(values: Sequence[float], value: float) -> float:
    """Where a value lies among evenly spaced ones, as a broken index; at an end if beyond it."""
    along = (value - values[0]) / (values[-1] - values[0])
    return round(min(1.0, max(0.0, along)) * (len(values) - 1), 3)


def nearest(values: Sequence[float], value: float) -> int:
    """The index of the nearest of some values, the first of those that are equal."""
    return min(range(len(values)), key=lambda i: abs(values[i] - value))


def share_of(value: float, most: float) -> float:
    """A value as a percentage of the most, from 0 to 100."""
    return min(100.0, max(0.0, 100 * value / most)) if most > 0 else 0.0
