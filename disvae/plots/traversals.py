"""Latent traversals: what each dimension of the code does to an image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal

from disvae.divergence import information_per_dimension
from disvae.divergence.parameters import continuous_part, join
from disvae.models import LatentModel
from disvae.plots.dimensions import Dimensions
from disvae.plots.grid import image_grid, label_columns, label_images, label_rows, show_grid
from disvae.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Standard deviations of the prior; 95 % of its mass lies between the ends.
VALUES = (-2.0, -1.6, -1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2, 1.6, 2.0)

# What the values of a traversal count in: the code itself, or standard deviations of the posterior
# that it starts from, from its mean on.
Unit = Literal["code", "posterior"]

BATCH_SIZE = 256  # codes decoded at once


@torch.no_grad()
def traverse(
    model: LatentModel, x: Float[Tensor, "channels height width"], values: Sequence[float] = VALUES
) -> Float[Tensor, "latent_dim n_values channels height width"]:
    """Decode the code of an image with one dimension at a time set to each of some values.

    Args:
        model: the model.
        x: one image in [0, 1]; the other dimensions stay at its posterior mean.
        values: what to set the dimension to; see :func:`values_of` for a categorical one.

    Returns:
        Mean images, on the model's device; ``[j, v]`` has dimension j at ``values[v]``.

    Raises:
        ValueError: ``x`` is not one image.
    """
    if x.dim() != 3:
        raise ValueError(f"expected one image (channels, height, width), got {tuple(x.shape)}")
    return traverse_posterior(model, starts(model, x[None]), range(model.latent_dim), values)[:, 0]


@torch.no_grad()
def traverse_posterior(
    model: LatentModel,
    posterior: Any,
    dimensions: Sequence[int],
    values: Sequence[float] = VALUES,
    unit: Unit = "code",
) -> Float[Tensor, "n_dimensions n n_values channels height width"]:
    """Decode the means of some distributions of codes with one dimension at a time moved.

    Args:
        model: the model.
        posterior: of shape (n, latent_dim), from :func:`starts`.
        dimensions: which ones to move.
        values: what to set the dimension to, counted in ``unit``; see :func:`values_of` for a
            categorical one.
        unit: "code", or "posterior" for standard deviations from the mean on.

    Returns:
        Mean images, on the model's device: ``[i, s, v]`` starts from ``posterior[s]`` and has
        dimension ``dimensions[i]`` at ``values[v]``.
    """
    chosen = list(dimensions)
    codes = posterior.loc[None, :, None].repeat(len(chosen), 1, len(values), 1)
    for i, j in enumerate(chosen):
        size = model.sizes[j]
        steps = torch.tensor(values_of(size, values)).to(codes)
        if unit == "posterior" and size == 1:
            codes[i, :, :, j] += continuous_part(posterior).stddev[:, j, None] * steps
        else:
            codes[i, :, :, j] = steps
    parts = codes.flatten(0, 2).split(BATCH_SIZE)
    images = torch.cat([model.likelihood.mean(model.decode(part)) for part in parts])
    return images.unflatten(0, codes.shape[:3])


def values_of(size: int, values: Sequence[float]) -> list[float]:
    """What a traversal sets one dimension to.

    Args:
        size: 1, or the number of its categories: these take equal shares of the places, in order.
        values: of a continuous dimension.

    Example:
        >>> values_of(3, [-2.0, -1.0, 0.0, 1.0, 2.0])
        [0.0, 0.0, 1.0, 1.0, 2.0]
    """
    if size == 1:
        return list(values)
    return [float(i * size // len(values)) for i in range(len(values))]


@torch.no_grad()
def starts(model: LatentModel, x: Float[Tensor, "n channels height width"] | None) -> Any:
    """Where traversals start: the posteriors of some images, or the prior as one of them.

    Args:
        model: the model.
        x: the images, in [0, 1]; None for the prior.
    """
    if x is None:
        return model.prior.expand(torch.Size((1, model.latent_dim)))
    return model.encode(x.to(next(model.parameters())))


def traversal_values(reach: float, n: int) -> list[float]:
    """Evenly spaced values on both sides of 0, for a traversal.

    Args:
        reach: the largest value, if it is 0.5 or more. Less is a part of a normal distribution: the
            values go from its quantile 0.5 − reach to its quantile 0.5 + reach, so that 0.45 means
            from −1.645 to 1.645, between which lie 90 % of it.
        n: how many values.

    Raises:
        ValueError: the reach is not positive, or there are fewer than 2 values.

    Example:
        >>> traversal_values(2.0, 5)
        [-2.0, -1.0, 0.0, 1.0, 2.0]
        >>> [round(value, 3) for value in traversal_values(0.45, 3)]
        [-1.645, 0.0, 1.645]
    """
    if not reach > 0:
        raise ValueError(f"the range of a traversal must be positive, got {reach}")
    if n < 2:
        raise ValueError(f"a traversal needs at least 2 values, got {n}")
    largest = Normal(0.0, 1.0).icdf(torch.tensor(0.5 + reach)).item() if reach < 0.5 else reach
    return [largest * (2 * i / (n - 1) - 1) for i in range(n)]


def traversal_unit(x: object, reach: float) -> Unit:
    """What a traversal's values count in: quantiles are those of a posterior, if there is one.

    Args:
        x: the images to start from; None for the prior.
        reach: see :func:`traversal_values`.
    """
    return "posterior" if x is not None and reach < 0.5 else "code"


@torch.no_grad()
def mean_kl(
    model: LatentModel, images: Float[Tensor, "n channels height width"], batch_size: int = 256
) -> Float[Tensor, " latent_dim"]:
    """KL(q(z_j|x) ‖ p(z_j)) of each dimension, in nats, averaged over images.

    Near 0 means that the dimension has collapsed: its code says nothing of the image. Of a
    categorical dimension it is its information; see
    :func:`disvae.divergence.information_per_dimension`.
    """
    weight = next(model.parameters())
    posterior = join([model.encode(x.to(weight)) for x in images.split(batch_size)])
    kl: Tensor = information_per_dimension(posterior, join([model.prior])).mean(0)
    return kl


@styled
def traversal_figure(
    model: LatentModel,
    x: Float[Tensor, "*n channels height width"] | None,
    kl: Float[Tensor, " latent_dim"],
    values: Sequence[float] = VALUES,
    called: Sequence[str] = (),
    rows: int | None = None,
    unit: Unit = "code",
    scale: int | None = None,
) -> "Figure":
    """A row of images for each dimension of the code, the most informative first.

    The row of a categorical dimension goes through its categories, whatever the values are; they
    stand in the corners of its images.

    Args:
        model: the model.
        x: the image to start from; or several, each of which has a row for each dimension; or None
            to start from the mean of the prior.
        kl: nats of each dimension (:func:`mean_kl`): the rows' order and labels.
        values: what the dimension is set to.
        called: what to call each dimension, such as the factor that it knows most of
            (:func:`describe_dimensions`).
        rows: only so many dimensions; all if None.
        unit: what the values count in, see :func:`traverse_posterior`.
        scale: pixels of the picture for each pixel of an image; None to fill its usual width.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide. Labels of collapsed dimensions are grey.

    Example:
        >>> from disvae import BurgessVAE
        >>> model = BurgessVAE((1, 64, 64), latent_dim=10)
        >>> x = torch.rand(20, 1, 64, 64)
        >>> figure = traversal_figure(model, x[0], mean_kl(model, x))
    """
    dimensions = Dimensions(kl, called or [""] * len(kl), model.sizes)
    order = dimensions.order(rows)
    posterior = starts(model, x[None] if x is not None and x.dim() == 3 else x)
    images = traverse_posterior(model, posterior, order, values, unit)
    together = images.shape[1]
    figure, axes = show_grid(image_grid(images.flatten(0, 1)), below=0.5, scale=scale)
    colours = [dimensions.colour(j) for j in order]
    label_rows(axes, [dimensions.label(j) for j in order], colours, together)
    sizes = [model.sizes[j] for j in order]
    label_values(axes, values, sizes, together=together)
    axes.set_xlabel(explain(x is None, unit, sizes))
    return figure


def label_values(
    axes: "Axes",
    values: Sequence[float],
    sizes: Sequence[int],
    above: int = 0,
    together: int = 1,
    digits: int = 3,
) -> None:
    """Write what the dimensions are set to: values below the columns, categories in the images.

    Args:
        axes: from :func:`disvae.plots.grid.show_grid`.
        values: of continuous dimensions, to which alone the labels of the columns apply.
        sizes: 1, or the number of categories, of the dimension of each row.
        above: rows of the grid above those of the dimensions.
        together: rows of each dimension.
        digits: of a value.
    """
    if 1 in sizes:
        label_columns(axes, [f"{value:.{digits}g}" for value in values])
    else:
        axes.set_xticks([])
    n_rows = above + together * len(sizes)
    for row in range(above, n_rows):
        size = sizes[(row - above) // together]
        if size > 1:
            label_images(axes, row, n_rows, [f"{k:.0f}" for k in values_of(size, values)])


def explain(prior: bool, unit: Unit, sizes: Sequence[int]) -> str:
    """What the numbers below the columns are, and those in the images of categories."""
    categories = "; in the corners: categories" if max(sizes) > 1 else ""
    if prior:
        return f"value of the dimension, the others at 0{categories}"
    if unit == "posterior":
        what = "standard deviations from the image's posterior mean, where the others stay"
        return what + categories
    return f"value of the dimension, the others at the image's posterior mean{categories}"
