"""How the terms of a loss went during training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from disvae.plots.style import COLOURS, DPI, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Log = Sequence[Mapping[str, float]]

# What a log holds that is no term of the loss: the step, and how the machine fared.
NO_TERMS = ("step", "images_per_second", "peak_memory_mib")
FIRST = ("objective", "reconstruction", "kl")
COLUMNS = 3
EARLY = 0.2  # the part of the steps that does not decide on the vertical range


@styled
def curves_figure(
    logs: Mapping[str, Sequence[Log]],
    terms: Sequence[str] | None = None,
    whole: Sequence[str] = (),
) -> "Figure":
    """A panel for each term of the loss over the steps, a line for each group of runs.

    A group of one run is drawn as its log has it. Of a group of several, such as the seeds of one
    setting, the line is their mean and the band around it one standard deviation to either side,
    at the steps that all of them logged. The vertical range is that of what comes after the first
    fifth of training, where most terms fall so far that nothing else could be seen.

    Args:
        logs: the logs of each group by its name, a log being the lines of ``log.jsonl``
            (:func:`disvae.training.read_log`): mappings with ``step`` and the terms.
        terms: which of them; if None all but what says how fast the machine was.
        whole: those whose range is that of all steps, such as scores, of which the untrained
            model's is where they start from.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: no log, an empty one, a term that no log has (the message lists those there
            are), or runs of one group without a step in common.

    Example:
        >>> log = [{"step": 100, "kl": 2.0}, {"step": 200, "kl": 3.5}]
        >>> curves_figure({"run": [log]}).axes[0].lines[0].get_ydata().tolist()
        [2.0, 3.5]
    """
    from matplotlib.figure import Figure

    chosen = _terms(logs, terms)
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(3.0 * columns, 1.9 * rows + 0.4), dpi=DPI, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axes, term in zip(panels.flat, chosen, strict=False):
        for place, (name, group) in enumerate(logs.items()):
            _draw(axes, name, group, term, _colour(place, len(logs)))
        if term not in whole:
            _fit_to_the_later_part(axes)
        axes.set_title(term.replace("_", " ").replace("kl", "KL"), fontsize=9)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=8)
    for axes in panels.flat[max(0, len(chosen) - columns) : len(chosen)]:
        axes.tick_params(labelbottom=True)  # the lowest of its column, where the last row is short
    for axes in panels.flat[len(chosen) :]:
        axes.remove()
    figure.supxlabel("step", fontsize=9)
    if len(logs) > 1:
        _legend(figure, list(logs))
    return figure


def _terms(logs: Mapping[str, Sequence[Log]], terms: Sequence[str] | None) -> list[str]:
    """The terms to draw, the sum before its parts."""
    if not logs or not all(log for group in logs.values() for log in [group, *group]):
        raise ValueError("there is nothing to draw: expected logs of at least one line each")
    lines = (line for group in logs.values() for log in group for line in log)
    found = {term for line in lines for term in line if not _is_measured(term)}
    if terms is None:
        return [t for t in FIRST if t in found] + sorted(found.difference(FIRST, ["loss"]))
    if missing := [term for term in terms if term not in found]:
        raise ValueError(f"no log has {', '.join(missing)}: they have {', '.join(sorted(found))}")
    return list(terms)


def _is_measured(term: str) -> bool:
    return term in NO_TERMS or term.startswith("ms_")


def _draw(axes: "Axes", name: str, group: Sequence[Log], term: str, colour: str) -> None:
    """The mean of a group's logs and, if they are several, the band around it."""
    curves = [{line["step"]: line[term] for line in log if term in line} for log in group]
    curves = [curve for curve in curves if curve]
    if not curves:
        return
    steps = sorted(set.intersection(*map(set, curves)))
    if not steps:
        raise ValueError(
            f"the runs of {name!r} have no step in common at which {term!r} was logged: give runs "
            "with the same log_every (--log_every)"
        )
    values = np.array([[curve[step] for step in steps] for curve in curves])
    mean = values.mean(0)
    axes.plot(steps, mean, color=colour, lw=1.3, marker="." if len(steps) == 1 else None)
    if len(curves) > 1:
        spread = values.std(0, ddof=1)
        axes.fill_between(steps, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)


def _fit_to_the_later_part(axes: "Axes") -> None:
    """Set the vertical range by the points after the first fifth of the steps."""
    drawn = [np.asarray(line.get_xydata(), dtype=np.float64) for line in axes.lines]
    for band in axes.collections:
        drawn += [np.asarray(path.vertices, dtype=np.float64) for path in band.get_paths()]
    points = np.concatenate(drawn)
    later = points[points[:, 0] >= EARLY * points[:, 0].max(), 1]
    low, high = later.min(), later.max()
    if high > low:
        margin = 0.08 * (high - low)
        axes.set_ylim(low - margin, high + margin)


def _colour(place: int, n: int) -> str:
    """Distinct colours for few groups, shades from dark to light for many."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if n <= len(COLOURS):
        return COLOURS[place]
    return to_hex(colormaps["viridis"](0.9 * place / (n - 1)))


def _legend(figure: "Figure", names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=_colour(i, len(names))) for i in range(len(names))]
    columns = min(4, len(names))
    figure.legend(lines, names, loc="outside upper center", ncols=columns, fontsize=8)
