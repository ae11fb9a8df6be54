"""Pictures of a sweep: what disentanglement costs in reconstruction, and which weight buys it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disvae.plots.style import COLOURS, DPI, WIDTH, styled
from disvae.plots.sweep import RECONSTRUCTION, Setting, SweepRecord, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "s", "^", "D", "v", "P")
# What the weights of the losses are called in their papers.
GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "lambda": "λ"}


@styled
def tradeoff_figure(records: Sequence[SweepRecord], score: str = "FactorVAE score") -> "Figure":
    """A score against the reconstruction error: a point for each loss and weight.

    A point is the mean over the seeds, its bars one standard deviation to either side, its number
    the weight; a line leads through the weights of a loss. Better is up and to the left: codes
    that are more disentangled, at less cost in the images.

    Args:
        records: of all runs (:func:`disvae.plots.read_sweep`).
        score: a metric by its name.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: no records, one twice, or a loss and weight without the score (the message
            lists those there are).

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, figure 5.

    Example:
        >>> runs = [SweepRecord("FactorVAELoss", 35.0, 45.0, {"MIG": 0.3}, "gamma")]
        >>> tradeoff_figure(runs, "MIG").axes[0].texts[0].get_text()
        '35'
    """
    from matplotlib.figure import Figure

    groups = settings(records)
    _check_scores(groups, [score])
    figure = Figure(figsize=(5.6, 4.0), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    losses = list(dict.fromkeys(group.loss for group in groups))
    for place, loss in enumerate(losses):
        own = [group for group in groups if group.loss == loss]
        _line(axes, own, score, place)
    axes.set_xlabel("reconstruction error (nats per image)")
    axes.set_ylabel(score)
    _finish(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure


@styled
def weights_figure(
    records: Sequence[SweepRecord], scores: Sequence[str] = ("FactorVAE score",)
) -> "Figure":
    """Reconstruction error and scores over the weight: a column for each loss.

    The line is the mean over the seeds, the band one standard deviation to either side, the dots
    are the runs. Each row has one scale, so that losses can be compared across it.

    Args:
        records: of all runs (:func:`disvae.plots.read_sweep`).
        scores: metrics by their names, a row for each.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: see :func:`tradeoff_figure`; or a loss that has no weight.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, figure 4,
        which has training on the horizontal axis; :func:`disvae.plots.curves_figure` shows that.

    Example:
        >>> runs = [SweepRecord("BetaVAEHLoss", b, 40 + b, {"MIG": b / 10}, "beta") for b in (1, 4)]
        >>> [axes.get_ylabel() for axes in weights_figure(runs, ["MIG"]).axes]
        ['reconstruction error', 'MIG']
    """
    from matplotlib.figure import Figure

    groups = settings(records)
    _check_scores(groups, scores)
    for group in groups:
        if group.weight is None:
            raise ValueError(f"{group.loss} has no weight that differs between its runs: leave it")
    losses = list(dict.fromkeys(group.loss for group in groups))
    quantities = [RECONSTRUCTION, *scores]
    size = (max(4.0, min(WIDTH, 3.2 * len(losses))), 1.8 * len(quantities) + 0.6)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(
        len(quantities), len(losses), squeeze=False, sharex="col", sharey="row"
    )
    for place, loss in enumerate(losses):
        own = [group for group in groups if group.loss == loss]
        for axes, quantity in zip(panels[:, place], quantities, strict=True):
            _over_weights(axes, own, quantity, COLOURS[place % len(COLOURS)])
        panels[0, place].set_title(loss.removesuffix("Loss"), fontsize=10)
        panels[-1, place].set_xlabel(_symbol(own[-1]))
    for axes, quantity in zip(panels[:, 0], quantities, strict=True):
        axes.set_ylabel("reconstruction error" if quantity == RECONSTRUCTION else quantity)
    return figure


def _line(axes: "Axes", groups: Sequence[Setting], score: str, place: int) -> None:
    """The points of one loss in the plane of reconstruction error and score."""
    from matplotlib.patheffects import withStroke

    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    x, dx = _mean_and_spread(groups, RECONSTRUCTION)
    y, dy = _mean_and_spread(groups, score)
    name = groups[-1].loss.removesuffix("Loss")
    label = name if groups[-1].weight is None else f"{name}, {_symbol(groups[-1])}"
    axes.errorbar(
        x, y, dy, dx, color=colour, marker=marker, label=label, lw=1.2, elinewidth=0.8, ms=5
    )
    for at, group in zip(zip(x, y, strict=True), groups, strict=True):
        if group.weight is not None:
            text = axes.annotate(
                f"{group.weight:g}", at, (4, 4), textcoords="offset points", fontsize=8
            )
            text.set(color=colour, path_effects=[withStroke(linewidth=2, foreground="white")])


def _over_weights(axes: "Axes", groups: Sequence[Setting], quantity: str, colour: str) -> None:
    """One quantity of one loss: mean, band and runs."""
    weights = np.array([group.weight for group in groups], dtype=np.float64)
    mean, spread = _mean_and_spread(groups, quantity)
    axes.plot(weights, mean, color=colour, marker="o", ms=4, lw=1.4)
    axes.fill_between(weights, mean - spread, mean + spread, color=colour, alpha=0.2, lw=0)
    for weight, group in zip(weights, groups, strict=True):
        values = group.values(quantity)
        axes.plot(np.full(len(values), weight), values, ".", color=colour, ms=4, alpha=0.4)
    if len(weights) > 2 and weights.min() > 0 and weights.max() / weights.min() >= 5:
        axes.set_xscale("log")
    if len(weights) <= 8:
        axes.set_xticks(weights, [f"{weight:g}" for weight in weights], minor=False)
        axes.minorticks_off()
    _finish(axes)


def _mean_and_spread(groups: Sequence[Setting], quantity: str) -> NDArray[np.float64]:
    """Means and standard deviations over the seeds (2, n); the latter 0 for a single run."""
    pairs = []
    for group in groups:
        values = group.values(quantity)
        pairs.append((values.mean(), values.std(ddof=1) if len(values) > 1 else 0.0))
    return np.array(pairs).T


def _check_scores(groups: Sequence[Setting], scores: Sequence[str]) -> None:
    for group in groups:
        for score in scores:
            if len(group.values(score)) == 0:
                known = sorted({name for record in group.records for name in record.scores})
                raise ValueError(
                    f"no run of {group.loss} with {group.symbol} = {group.weight} has {score!r}: "
                    f"there are {', '.join(known) or 'no scores'}"
                )


def _symbol(group: Setting) -> str:
    return GREEK.get(group.symbol, group.symbol)


def _finish(axes: "Axes") -> None:
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=8)
