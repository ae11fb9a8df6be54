"""What each dimension of the code holds over a data set, against the prior."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution

from disvae.divergence import (
    MixedDistribution,
    draw,
    information_per_dimension,
    map_parameters,
    sizes_of,
    standard_prior,
)
from disvae.divergence.parameters import continuous_part
from disvae.plots.dimensions import COLLAPSED, axis_label
from disvae.plots.style import COLOURS, DPI, FAINT, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = "code (bars: aggregate posterior, line: prior, number: KL in nats)"
ONE_ROW = 5  # panels of one model side by side
MOST_LABELS = 10  # categories that have a number below their bars
REACH = 4.0  # standard deviations of the prior on either side; wider where codes lie beyond


@styled
def histogram_figure(
    posterior: Distribution | Mapping[str, Distribution],
    dimensions: Sequence[int] | None = None,
    bins: int = 40,
    seed: int = 0,
    prior: Distribution | None = None,
    called: Sequence[Mapping[int, str]] = (),
) -> "Figure":
    """Codes of the aggregate posterior in each dimension, over the density of the prior.

    One code is drawn from the posterior of each image: together they are draws of q(z), and the
    histogram of one dimension, whose area is 1, is one of q(z_j). Each panel says the mean
    KL(q(z_j|x) ‖ p(z_j)) of its dimension in nats, and the panels go from the most informative
    dimension to the least. Collapsed dimensions are grey: they follow the prior. A categorical
    dimension has a bar for each category.

    Args:
        posterior: q(z|x) of many images, (images, latent_dim), such as
            :func:`disvae.training.encode_posteriors` gives; or those of several models by name, a
            row of panels for each.
        dimensions: which dimensions, in this order; all, sorted by their KL, if None.
        bins: bars of each histogram.
        seed: of the draws.
        prior: p(z), (latent_dim,); that of most models if None, N(0, I) and all categories alike.
        called: names of dimensions, as far as they have any, of each model.

    Returns:
        A matplotlib figure: a panel for each dimension, all with the same horizontal axis.

    Raises:
        ValueError: no posterior or one of no images, models of several numbers of dimensions,
            dimensions that the codes do not have, or fewer than one bin.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, figure
        40.

    Example:
        >>> from torch.distributions import Normal
        >>> q = Normal(torch.randn(500, 2), 0.1 * torch.ones(500, 2))
        >>> len(histogram_figure(q).axes)
        2
    """
    from matplotlib.figure import Figure

    models = {"": posterior} if isinstance(posterior, Distribution) else dict(posterior)
    latent_dim = _check(models, bins)
    drawn = {name: _draw(q, seed) for name, q in models.items()}
    priors = {name: prior or standard_prior(q) for name, q in models.items()}
    kl = {name: _mean_kl(q, priors[name]) for name, q in models.items()}
    orders = {name: _order(kl[name], latent_dim, dimensions) for name in models}
    places = [(name, j) for name, order in orders.items() for j in order]
    n_panels = len(orders[next(iter(models))])
    columns = min(n_panels, ONE_ROW) if len(models) == 1 else n_panels
    rows = -(-len(places) // columns)
    size = (max(3.5, min(WIDTH, 1.8 * columns)), 1.3 * rows + 0.5)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    sizes = {name: sizes_of(q) for name, q in models.items()}
    alike = max(map(max, sizes.values())) == 1
    panels = figure.subplots(rows, columns, squeeze=False, sharex=alike)
    widest = [np.abs(z[:, np.array(sizes[name]) == 1]).max(initial=0) for name, z in drawn.items()]
    reach = max(REACH, *map(float, widest))
    edges = np.linspace(-reach, reach, bins + 1)
    names = dict(zip(models, called or [{}] * len(models), strict=True))
    for axes, (name, j) in zip(panels.flat, places, strict=False):
        collapsed = bool(kl[name][j] <= COLLAPSED)
        if sizes[name][j] == 1:
            _histogram(axes, drawn[name][:, j], edges, collapsed)
            _density(axes, continuous_part(priors[name]), j, edges)
        else:
            _bars(axes, drawn[name][:, j], sizes[name][j], collapsed)
        _label(axes, axis_label(j, names[name]), float(kl[name][j]), collapsed)
    for axes in panels.flat[len(places) :]:
        axes.remove()
    for axes, name in zip(panels[:, 0], models, strict=False):
        axes.set_ylabel(name, fontsize=9)
    figure.supxlabel(CAPTION, fontsize=9)
    return figure


def _check(models: Mapping[str, Distribution], bins: int) -> int:
    """The number of dimensions that all models share."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    shapes = {name: tuple(q.batch_shape) for name, q in models.items()}
    latent_dims = {shape[-1] for shape in shapes.values()}
    if len(latent_dims) != 1 or any(len(s) != 2 or s[0] == 0 for s in shapes.values()):
        raise ValueError(
            "expected posteriors of shape (images, latent_dim), of the same latent_dim and at "
            f"least one image, got {shapes or 'none'}"
        )
    return latent_dims.pop()


def _draw(posterior: Distribution, seed: int) -> NDArray[np.float64]:
    """One code of each image."""
    q = map_parameters(lambda parameter: parameter.detach().cpu().double(), posterior)
    z = draw(q, 1, torch.Generator().manual_seed(seed))[0]
    codes: Tensor = q.codes(z) if isinstance(q, MixedDistribution) else z
    return codes.numpy()


def _mean_kl(posterior: Distribution, prior: Distribution) -> Tensor:
    return information_per_dimension(posterior, prior).mean(0).detach().cpu()


def _order(kl: Tensor, latent_dim: int, dimensions: Sequence[int] | None) -> list[int]:
    """The dimensions to show."""
    if dimensions is None:
        return kl.argsort(descending=True).tolist()
    chosen = list(dimensions)
    if not chosen or min(chosen) < 0 or max(chosen) >= latent_dim:
        raise ValueError(f"expected dimensions from 0 to {latent_dim - 1}, got {chosen}")
    return chosen


def _histogram(
    axes: "Axes", z: NDArray[np.float64], edges: NDArray[np.float64], collapsed: bool
) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.hist(z, bins=edges.tolist(), density=True, color=_colour(collapsed))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _density(axes: "Axes", prior: Any, j: int, edges: NDArray[np.float64]) -> None:
    """The prior's, of one of its dimensions."""
    grid = torch.linspace(float(edges[0]), float(edges[-1]), 201)
    like = prior.mean
    density = prior.log_prob(grid[:, None].to(like).expand(-1, len(like)))[:, j].exp()
    axes.plot(grid.numpy(), density.detach().cpu().numpy(), color=COLOURS[1], lw=1.2)


def _bars(axes: "Axes", z: NDArray[np.float64], size: int, collapsed: bool) -> None:
    shares = np.bincount(z.astype(np.int64), minlength=size) / len(z)
    axes.bar(range(size), shares, color=_colour(collapsed))
    axes.hlines(1 / size, -0.5, size - 0.5, color=COLOURS[1], lw=1.2)
    every = -(-size // MOST_LABELS)
    axes.set_xticks(range(size), [str(k) if k % every == 0 else "" for k in range(size)])


def _colour(collapsed: bool) -> str:
    return "0.7" if collapsed else COLOURS[5]


def _label(axes: "Axes", label: str, kl: float, collapsed: bool) -> None:
    axes.set_title(f"{label}: {kl:.2f}", fontsize=9, color=FAINT if collapsed else "black")
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines["left"].set_visible(False)
