"""Pictures of how codes and factors go together."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disvae.metrics import Score, Scores
from disvae.metrics.arrays import check_arrays
from disvae.plots.dimensions import axis_label
from disvae.plots.style import COLOURS, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 2_000  # drawn in one panel
ERROR = 1.96  # standard errors on either side


@styled
def information_figure(score: Score) -> "Figure":
    """What each dimension knows of each factor, as a part of the factor's entropy.

    Args:
        score: of a metric with ``mutual_information`` and ``entropy`` in its details, such as
            :func:`disvae.metrics.mig` or :func:`disvae.metrics.posterior_mig`.

    Returns:
        A matplotlib figure: a row for each factor, a column for each dimension.

    Raises:
        ValueError: the details have no information of factors.
    """
    if not {"mutual_information", "entropy"} <= score.details.keys():
        raise ValueError(f"the details of {score.name} have no mutual information: give a MIG")
    table = np.array(score.details["mutual_information"])
    share = table / np.array(score.details["entropy"])[:, None]
    names = list(score.per_factor) or [f"factor {k}" for k in range(len(table))]
    figure, axes = _table_axes(names, share.shape[1])
    picture = axes.imshow(share, vmin=0, vmax=1, cmap="Blues", aspect="equal")
    for (k, j), value in np.ndenumerate(share):
        colour = "white" if value > 0.6 else "black"
        axes.text(j, k, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=7)
    figure.colorbar(picture, ax=axes, label="I(z; v) / H(v)", shrink=0.8)
    axes.set_title(f"{score!r}", loc="left", fontsize=10)
    return figure


@styled
def importance_figure(score: Score) -> "Figure":
    """The importance of each dimension for each factor as areas: a Hinton diagram.

    Args:
        score: of :func:`disvae.metrics.dci`.

    Returns:
        A matplotlib figure: a row for each factor, a column for each dimension.

    Raises:
        ValueError: the details have no importances.
    """
    from matplotlib.patches import Rectangle

    if "importance" not in score.details:
        raise ValueError(f"the details of {score.name} have no importances: give the score of dci")
    table = np.array(score.details["importance"]).T  # (n_factors, latent_dim)
    names = list(score.details["train_informativeness"])
    figure, axes = _table_axes(names, table.shape[1])
    largest = table.max() or 1.0
    k, j = (index.ravel() for index in np.indices(table.shape))
    for row, column, value in zip(k, j, table.ravel(), strict=True):
        side = 0.92 * math.sqrt(value / largest)
        corner = (column - side / 2, row - side / 2)
        axes.add_patch(Rectangle(corner, side, side, color=COLOURS[0], lw=0))
    axes.set_xlim(-0.5, table.shape[1] - 0.5)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_title(f"D = {score:.3f}, C = {score.parts[0]:.3f}", loc="left", fontsize=10)
    return figure


@styled
def latents_figure(
    codes: object,
    factors: object,
    names: Sequence[str] | None = None,
    dimensions: Sequence[int] | None = None,
    seed: int = 0,
    called: Mapping[int, str] | None = None,
) -> "Figure":
    """Each dimension against each factor: the samples, and their mean at each value.

    Args:
        codes: (n, latent_dim) floats.
        factors: (n, n_factors) integers.
        names: one name per factor.
        dimensions: which dimensions; all if None.
        seed: of the samples that are drawn, where they are many, and of how they are set apart.
        called: names of dimensions, as far as they have any.

    Returns:
        A matplotlib figure: a row for each dimension, a column for each factor.

    Raises:
        ValueError: see :func:`disvae.metrics.evaluate`; or dimensions that the codes do not have.
    """
    from matplotlib.figure import Figure

    arrays = check_arrays(codes, factors, names)
    latent_dim = arrays.codes.shape[1]
    chosen = list(range(latent_dim)) if dimensions is None else list(dimensions)
    if not chosen or min(chosen) < 0 or max(chosen) >= latent_dim:
        raise ValueError(f"expected dimensions from 0 to {latent_dim - 1}, got {chosen}")
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(arrays))[:MOST_POINTS]
    rows, columns = len(chosen), len(arrays.names)
    figure = Figure(figsize=(1.6 * columns + 0.6, 1.1 * rows + 0.7), dpi=150, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey="row", sharex="col")
    for axes_row, j in zip(panels, chosen, strict=True):
        for axes, v in zip(axes_row, arrays.factors.T, strict=True):
            _panel(axes, arrays.codes[:, j], v, some, rng)
        axes_row[0].set_ylabel(axis_label(j, called or {}), rotation=0, ha="right", va="center")
    figure.align_ylabels(panels[:, 0])  # the numbers beside each are not equally wide
    for axes, name in zip(panels[-1], arrays.names, strict=True):
        axes.set_xlabel(name.replace("_", " "))
    return figure


@styled
def summary_figure(scores: Scores | Mapping[str, Scores]) -> "Figure":
    """Bars of all scores, with intervals of 95 % where standard errors are known.

    Args:
        scores: of one model, or of several by name.

    Returns:
        A matplotlib figure: a group of bars for each metric, a colour for each model.

    Raises:
        ValueError: there is no score.
    """
    from matplotlib.figure import Figure

    models = {"": scores} if isinstance(scores, Scores) else dict(scores)
    metrics = list(dict.fromkeys(name for model in models.values() for name in model))
    if not metrics:
        raise ValueError("there is no score to draw")
    height = 0.8 / len(models)
    size = (7.0, 0.22 * len(metrics) * max(1, len(models) * 0.7) + 0.8)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for place, (name, model) in enumerate(models.items()):
        found = [(metrics.index(metric), score) for metric, score in model.items()]
        where = [row + (place - (len(models) - 1) / 2) * height for row, _ in found]
        values = [float(score) for _, score in found]
        errors = [ERROR * (score.standard_error or 0.0) for _, score in found]
        colour = COLOURS[place % len(COLOURS)]
        shown = errors if any(errors) else None
        axes.barh(where, values, 0.9 * height, xerr=shown, color=colour, label=name or None)
    axes.set_yticks(range(len(metrics)), metrics)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(models) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def _panel(
    axes: "Axes",
    z: NDArray[np.float64],
    v: NDArray[np.int64],
    some: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Samples of one dimension by the values of one factor."""
    values = np.unique(v)
    spread = rng.uniform(-0.3, 0.3, size=len(some))
    share = len(some) / MOST_POINTS  # the fewer samples, the bolder
    size, alpha = 2 + 3 * (1 - share), 0.15 + 0.5 * (1 - share) ** 2
    axes.plot(v[some] + spread, z[some], ".", color=COLOURS[0], alpha=alpha, ms=size, mew=0)
    means = [z[v == value].mean() for value in values]
    axes.plot(values, means, color=COLOURS[1], lw=1.5)
    axes.tick_params(labelsize=7)


def _table_axes(names: Sequence[str], latent_dim: int) -> "tuple[Figure, Axes]":
    """A figure with a row for each factor and a column for each dimension."""
    from matplotlib.figure import Figure

    size = (0.5 * latent_dim + 2.4, 0.5 * len(names) + 1.0)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    axes = figure.add_subplot()
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_xticks(range(latent_dim), [f"$z_{{{j}}}$" for j in range(latent_dim)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes
