"""The mean code over the values of the factors: where on the grid each dimension looks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.plots.dimensions import COLLAPSED, axis_label
from disvae.plots.style import COLOURS, DPI, FAINT, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MAP = ("position_x", "position_y")
LINES = "shape"
MOST_LINES = len(COLOURS)
MISSING = "0.8"  # the grey of a cell without a sample


def mean_codes(
    codes: object, factors: object, by: Sequence[int]
) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], ...]]:
    """The mean of each dimension at each combination of some factors, over all others.

    Args:
        codes: (n, latent_dim) floats.
        factors: (n, n_factors) integers.
        by: the columns of the factors that are kept.

    Returns:
        The means, one axis for each factor of ``by`` and the last for the dimensions, NaN where no
        sample has the combination; and the values along each axis, those that occur.

    Raises:
        ValueError: see :func:`disvae.metrics.evaluate`; or columns that are no factors, or none.

    Example:
        >>> means, (values,) = mean_codes([[0.0], [2.0], [5.0]], [[0], [0], [3]], by=[0])
        >>> means[:, 0].tolist(), values.tolist()
        ([1.0, 5.0], [0, 3])
    """
    arrays = check_arrays(codes, factors)
    n_factors = arrays.factors.shape[1]
    if not by or min(by) < 0 or max(by) >= n_factors:
        raise ValueError(f"expected columns from 0 to {n_factors - 1} to keep, got {list(by)}")
    values = tuple(np.unique(arrays.factors[:, k]) for k in by)
    shape = tuple(len(v) for v in values)
    cells = np.ravel_multi_index(tuple(arrays.values[:, k] for k in by), shape)
    counts = np.bincount(cells, minlength=int(np.prod(shape)))
    sums = np.stack([np.bincount(cells, z, len(counts)) for z in arrays.codes.T], axis=1)
    with np.errstate(invalid="ignore"):
        means = sums / counts[:, None]  # 0 / 0 is NaN: there is no such sample
    return means.reshape(*shape, -1), values


@styled
def factor_map_figure(
    codes: object,
    factors: object,
    names: Sequence[str] | None = None,
    *,
    over: tuple[str, str] | None = None,
    by: str | None = None,
    values: Sequence[str] | None = None,
    kl: Sequence[float] | None = None,
    called: Mapping[int, str] | None = None,
) -> "Figure":
    """The mean of each dimension: a map over two factors, and lines over each of the others.

    A dimension that has disentangled a position is a ramp on the map in one direction and flat
    elsewhere; one that has collapsed is flat everywhere. Where :func:`latents_figure` shows the
    samples and one mean of each factor, this shows how factors act together: two positions in a
    map, and each other factor apart for every shape.

    Args:
        codes: (n, latent_dim) floats, such as posterior means of the whole data set.
        factors: (n, n_factors) integers.
        names: one name per factor.
        over: the two factors of the map, across and down; ``position_x`` and ``position_y`` if None
            and there are such, and no map otherwise.
        by: the factor with a line for each of its values; ``shape`` if None and there is such.
        values: what each value of ``by`` is called, in the legend; numbers if None.
        kl: nats of each dimension: the rows' order, most informative first, and their labels.
        called: names of dimensions, as far as they have any.

    Returns:
        A matplotlib figure: a row for each dimension, a column for the map and each other factor.
        All panels have one scale of codes, that of the colours too. Where ``kl`` says that a
        dimension has collapsed, its label and its lines are grey.

    Raises:
        ValueError: see :func:`disvae.metrics.evaluate`; a factor that is not among the names; the
            same factor twice; more values of ``by`` than colours, or one without a name; not one
            number for each dimension in ``kl``; or nothing to draw but ``by``.

    Reference:
        Isolating Sources of Disentanglement in VAEs, Chen et al. 2018,
        https://arxiv.org/abs/1802.04942; Understanding disentangling in β-VAE, Burgess et al. 2018,
        https://arxiv.org/abs/1804.03599.

    Example:
        >>> v = np.indices((3, 4, 4)).reshape(3, -1).T  # every combination of three factors
        >>> z = np.stack([v[:, 1] - 1.5, 0.1 * v[:, 0]], axis=1)
        >>> figure = factor_map_figure(z, v, ["scale", "position_x", "position_y"])
        >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
        ['position x →\\nposition y ↓', 'scale']
    """
    from matplotlib.figure import Figure

    arrays = check_arrays(codes, factors, names)
    pair, lines, others = _columns(arrays, over, by)
    order = _order(arrays.codes.shape[1], kl)
    labels = [] if lines is None else _labels(arrays, lines, values)
    n_columns = len(others) + bool(pair)
    size = (min(WIDTH, 2.0 * n_columns + 1.4), 1.15 * len(order) + 0.9)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(len(order), n_columns, squeeze=False, sharex="col")
    maps = mean_codes(arrays, arrays, pair)[0] if pair else None
    curves = [_curves(arrays, k, lines) for k in others]
    tables = [*([] if maps is None else [maps]), *(means for means, _ in curves)]
    reach = 1.05 * max(float(np.nanmax(np.abs(table))) for table in tables) or 1.0
    collapsed = [kl is not None and kl[j] <= COLLAPSED for j in order]
    for row, j, grey in zip(panels, order, collapsed, strict=True):
        if maps is not None:
            picture = _map(row[0], maps[..., j], reach)
        for axes, (means, along) in zip(row[bool(pair) :], curves, strict=True):
            _lines(axes, means[..., j], along, reach, [FAINT] * MOST_LINES if grey else COLOURS)
        label = axis_label(j, called or {}) + ("" if kl is None else f"\n{kl[j]:.2f} nats")
        colour = FAINT if grey else "black"
        row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9, color=colour)
    for axes, k in zip(panels[0, bool(pair) :], others, strict=True):
        axes.set_title(_plain(arrays.names[k]), fontsize=9)
    if pair:
        x, y = (_plain(arrays.names[k]) for k in pair)
        panels[0, 0].set_title(f"{x} →\n{y} ↓", fontsize=9)
        figure.colorbar(picture, ax=panels, label="mean code", shrink=min(1.0, 3 / len(order)))
    gaps = maps is not None and bool(np.isnan(maps).any())
    _legend(figure, labels, any(collapsed) and bool(others), gaps)
    return figure


def _columns(
    arrays: Arrays, over: tuple[str, str] | None, by: str | None
) -> tuple[list[int], int | None, list[int]]:
    """The factors of the map, that of the lines, and those along the lines."""
    names = list(arrays.names)
    if over is None and set(MAP) <= set(names):
        over = MAP
    if by is None and LINES in names and LINES not in (over or ()):
        by = LINES
    named = [*(over or ()), *([] if by is None else [by])]
    if unknown := [name for name in named if name not in names]:
        raise ValueError(f"no factor {unknown[0]!r}; the factors are {', '.join(names)}")
    if len(set(named)) < len(named):
        raise ValueError(f"expected different factors in over and by, got {', '.join(named)}")
    pair = [names.index(name) for name in over or ()]
    lines = None if by is None else names.index(by)
    others = [k for k in range(len(names)) if k not in pair and k != lines]
    if lines is not None and arrays.sizes[lines] > MOST_LINES:
        raise ValueError(
            f"{by} has {arrays.sizes[lines]} values, more than the {MOST_LINES} lines that can be "
            "told apart: give another factor as by"
        )
    if not others and not pair:
        raise ValueError(f"there is no factor beside {by!r} to draw: give another as by")
    return pair, lines, others


def _order(latent_dim: int, kl: Sequence[float] | None) -> list[int]:
    """The dimensions, most informative first where that is known."""
    if kl is None:
        return list(range(latent_dim))
    if len(kl) != latent_dim:
        raise ValueError(f"{len(kl)} KLs for {latent_dim} dimensions: expected one each")
    return sorted(range(latent_dim), key=lambda j: -float(kl[j]))


def _labels(arrays: Arrays, lines: int, values: Sequence[str] | None) -> list[str]:
    """What the lines are called."""
    name = _plain(arrays.names[lines])
    known = np.unique(arrays.factors[:, lines])
    if values is None:
        return [f"{name} {value}" for value in known]
    if not 0 <= known[0] <= known[-1] < len(values):
        raise ValueError(f"{len(values)} names for {name} from {known[0]} to {known[-1]}")
    return [values[value] for value in known]


def _curves(
    arrays: Arrays, k: int, lines: int | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Means along factor ``k`` (lines, values, latent_dim), and its values."""
    if lines is None:
        means, (values,) = mean_codes(arrays, arrays, [k])
        return means[None], values
    means, (_, values) = mean_codes(arrays, arrays, [lines, k])
    return means, values


def _map(axes: "Axes", means: NDArray[np.float64], reach: float) -> "AxesImage":
    """One dimension over two factors: the first across, the second down."""
    picture = axes.imshow(means.T, cmap="RdBu", vmin=-reach, vmax=reach, interpolation="nearest")
    axes.set_facecolor(MISSING)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return picture


def _lines(
    axes: "Axes",
    means: NDArray[np.float64],
    values: NDArray[np.int64],
    reach: float,
    colours: Sequence[str],
) -> None:
    """One dimension over one factor, a line for each row of ``means``."""
    from matplotlib.ticker import MaxNLocator

    for line, colour in zip(means, colours, strict=False):
        axes.plot(values, line, color=colour, lw=1.4)
    axes.set_ylim(-reach, reach)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=7)


def _legend(figure: "Figure", labels: Sequence[str], collapsed: bool, gaps: bool) -> None:
    """What the lines are, and what either grey means where there is one."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    known: dict[str, Line2D | Patch] = {
        label: Line2D([], [], color=colour) for label, colour in zip(labels, COLOURS, strict=False)
    }
    if collapsed:
        known["collapsed dimension"] = Line2D([], [], color=FAINT)
    if gaps:
        known["no such sample"] = Patch(color=MISSING)
    if known:
        figure.legend(
            [*known.values()], [*known], loc="outside upper center", ncols=len(known), fontsize=8
        )


def _plain(name: str) -> str:
    return name.replace("_", " ")
