"""Codes in the plane, so that one sees which of them lie together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from disvae.extras import need
from disvae.metrics.arrays import Arrays, check_codes
from disvae.plots.style import COLOURS, DPI, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Method = Literal["tsne", "umap"]
MOST_POINTS = 2_000  # embedded and drawn: t-SNE of these takes seconds
MARKERS = ("o", "^")  # the second where the colours are used up
MOST_CLASSES = len(MARKERS) * len(COLOURS)  # more values than this are shades


def embed(
    codes: object, method: Method = "tsne", neighbours: int = 30, seed: int = 0
) -> Float[np.ndarray, "n 2"]:
    """Place codes in the plane so that those that lie near each other stay so.

    Distances between groups and the size of a group mean little in either method; that points are
    neighbours means something. Dimensions are taken as they are: in a code with the prior N(0, I),
    one that has collapsed hardly varies, and does not matter.

    Args:
        codes: (n, latent_dim) floats.
        method: "tsne" (exact copies with the seed, seconds for 2,000 codes) or "umap" (faster for
            many; needs ``pip install 'disvae[umap]'``).
        neighbours: how many of them a code minds: t-SNE's perplexity, UMAP's ``n_neighbors``.
        seed: source of all randomness.

    Returns:
        float64, a row for each code.

    Raises:
        ValueError: an unknown method, no more codes than neighbours, fewer than 2 neighbours, or
            see :func:`disvae.metrics.evaluate`.
        MissingExtraError: if UMAP is not installed.

    Reference:
        Visualizing Data using t-SNE, van der Maaten and Hinton 2008,
        https://jmlr.org/papers/v9/vandermaaten08a.html; UMAP: Uniform Manifold Approximation and
        Projection, McInnes et al. 2018, https://arxiv.org/abs/1802.03426
    """
    z = check_codes(codes).codes
    if method not in get_args(Method):
        raise ValueError(f"expected the method tsne or umap, got {method!r}")
    if not 2 <= neighbours < len(z):
        raise ValueError(
            f"expected from 2 to {len(z) - 1} neighbours for {len(z)} codes, got {neighbours}"
        )
    points = _tsne(z, neighbours, seed) if method == "tsne" else _umap(z, neighbours, seed)
    return points.astype(np.float64)


def _tsne(z: NDArray[np.float64], neighbours: int, seed: int) -> NDArray[np.float32]:
    from sklearn.manifold import TSNE

    start = "pca" if len(np.flatnonzero(z.std(0))) > 1 else "random"  # PCA needs a plane
    return TSNE(perplexity=neighbours, init=start, random_state=seed).fit_transform(z)


def _umap(z: NDArray[np.float64], neighbours: int, seed: int) -> NDArray[np.float32]:
    need("umap", "UMAP")
    from threadpoolctl import threadpool_limits
    from umap import UMAP

    # A seed asks for one job. Numba's own threads, which it starts nevertheless, would stay and
    # get in the way of all that uses OpenMP later: t-SNE becomes a hundred times slower.
    with threadpool_limits(1, user_api="openmp"):
        return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(z)


@styled
def embedding_figure(
    codes: object,
    values: object,
    label: str = "",
    names: Sequence[str] | None = None,
    parts: Mapping[str, Sequence[int]] | None = None,
    method: Method = "tsne",
    neighbours: int = 30,
    seed: int = 0,
) -> "Figure":
    """Codes in the plane, coloured by a label or a factor; a panel for each part of the code.

    A part that knows the label falls into clusters of one colour; in a part that does not, the
    colours are mixed: such a picture shows leakage at a glance, though no number.

    Args:
        codes: (n, latent_dim) floats; 2,000 by chance if there are more.
        values: (n,) integers, the label or factor of each code. Up to twelve different ones have a
            colour and marker of their own, more are shades.
        label: what they are called.
        names: what each value from 0 on is called, in the legend.
        parts: dimensions of each part by its name, such as ``{"specified": range(16, 32)}``; the
            whole code if None.
        method: see :func:`embed`.
        neighbours: see :func:`embed`.
        seed: chooses the codes, and is that of :func:`embed`.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: see :func:`embed`; values that are not one integer for each code; or parts that
            are empty or have dimensions that the codes do not; or a value without a name.
        MissingExtraError: see :func:`embed`.
    """
    from matplotlib.figure import Figure

    arrays = check_codes(codes)
    v = _check_values(values, arrays)
    if names is not None and not 0 <= v.min() <= v.max() < len(names):
        raise ValueError(f"{len(names)} names for values from {v.min()} to {v.max()}")
    panels_of = _check_parts(parts, arrays.codes.shape[1])
    some = np.random.default_rng(seed).permutation(len(v))[:MOST_POINTS]
    size = (min(WIDTH, 4.0 * len(panels_of) + 1.0), 3.6)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(panels_of), squeeze=False)[0]
    for axes, (name, dimensions) in zip(panels, panels_of.items(), strict=True):
        points = embed(arrays.codes[some][:, dimensions], method, neighbours, seed)
        _scatter(axes, points, v[some], np.unique(v))
        axes.set_title(name, fontsize=10)
    _key(figure, panels, np.unique(v), label, names)
    return figure


def _check_values(values: object, arrays: Arrays) -> NDArray[np.int64]:
    v = np.asarray(values)
    if v.shape != (len(arrays),) or v.dtype.kind not in "biu":
        raise ValueError(
            f"expected {len(arrays)} integers, the label of each code, got {v.dtype} of shape "
            f"{v.shape}"
        )
    return v.astype(np.int64)


def _check_parts(
    parts: Mapping[str, Sequence[int]] | None, latent_dim: int
) -> dict[str, list[int]]:
    """The dimensions of each panel."""
    if parts is None:
        return {"": list(range(latent_dim))}
    chosen = {name: list(dimensions) for name, dimensions in parts.items()}
    if not chosen:
        raise ValueError("there is no part of the code to draw")
    for name, dimensions in chosen.items():
        if not dimensions or min(dimensions) < 0 or max(dimensions) >= latent_dim:
            raise ValueError(
                f"{name} must have dimensions from 0 to {latent_dim - 1}, got {dimensions}"
            )
    return chosen


def _scatter(
    axes: "Axes", points: NDArray[np.float64], v: NDArray[np.int64], known: NDArray[np.int64]
) -> None:
    x, y = points.T
    if len(known) > MOST_CLASSES:
        axes.scatter(x, y, c=v, cmap="viridis", s=6, lw=0, vmin=known[0], vmax=known[-1])
    else:
        for place, value in enumerate(known):
            chosen = v == value
            colour, marker = _look(place)
            axes.scatter(x[chosen], y[chosen], s=9, lw=0, alpha=0.8, color=colour, marker=marker)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set(visible=True, color="0.8")


def _look(place: int) -> tuple[str, str]:
    """The colour and the marker of a class."""
    turn, colour = divmod(place, len(COLOURS))
    return COLOURS[colour], MARKERS[turn]


def _key(
    figure: "Figure",
    panels: Sequence["Axes"],
    known: NDArray[np.int64],
    label: str,
    names: Sequence[str] | None,
) -> None:
    """What the colours mean."""
    from matplotlib.lines import Line2D

    if len(known) > MOST_CLASSES:
        figure.colorbar(panels[-1].collections[0], ax=panels, label=label, shrink=0.8)
        return
    looks = [_look(place) for place in range(len(known))]
    handles = [Line2D([], [], ls="", color=colour, marker=marker) for colour, marker in looks]
    texts = [str(value) if names is None else names[value] for value in known]
    figure.legend(handles, texts, title=label or None, loc="outside right center", fontsize=8)
