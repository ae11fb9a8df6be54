"""The look that all figures share: colours, sizes and what is left out."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito
FAINT = "0.6"  # the grey of what says little: collapsed dimensions, the prior
WIDTH = 9.0  # inches of a figure of images
DPI = 200  # crisp where a page shows such a figure 900 pixels wide
MOVING_WIDTH, MOVING_DPI = 6.5, 100  # of animations, whose files grow with every frame

P = ParamSpec("P")
T = TypeVar("T")


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that makes a figure: it is drawn in this style, whatever the user's is.

    Matplotlib's settings are as before once the function returns.

    Example:
        >>> from matplotlib.figure import Figure
        >>> @styled
        ... def empty_figure() -> Figure:
        ...     return Figure()
        >>> empty_figure().get_dpi()
        200.0
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        from matplotlib import rc_context

        with rc_context(_settings()):
            return draw(*args, **kwargs)

    return drawn


def _settings() -> Any:
    from cycler import cycler  # a part of matplotlib

    return {
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "figure.dpi": DPI,
        "savefig.dpi": "figure",
        "figure.facecolor": "white",
        "image.cmap": "Blues",
    }
