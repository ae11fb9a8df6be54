"""Latent traversals: what each dimension of the code does to an image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.divergence import kl_per_dimension
from disvae.models import VAE
from disvae.plots.grid import image_grid, show_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Standard deviations of the prior; 95 % of its mass lies between the ends.
VALUES = (-2.0, -1.6, -1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2, 1.6, 2.0)

# Nats below which a dimension carries no information worth a label of its own.
COLLAPSED = 0.01


@torch.no_grad()
def traverse(
    model: VAE, x: Float[Tensor, "channels height width"], values: Sequence[float] = VALUES
) -> Float[Tensor, "latent_dim n_values channels height width"]:
    """Decode the code of an image with one dimension at a time set to each of some values.

    Args:
        model: the model.
        x: one image in [0, 1]; the other dimensions stay at its posterior mean.
        values: what to set the dimension to.

    Returns:
        Mean images, on the model's device; ``[j, v]`` has dimension j at ``values[v]``.

    Raises:
        ValueError: ``x`` is not one image.
    """
    if x.dim() != 3:
        raise ValueError(f"expected one image (channels, height, width), got {tuple(x.shape)}")
    code = model.represent(x[None].to(next(model.parameters())))  # (1, latent_dim)
    codes = code.repeat(model.latent_dim, len(values), 1)
    for dimension in range(model.latent_dim):
        codes[dimension, :, dimension] = torch.tensor(values)
    images = model.likelihood.mean(model.decode(codes.flatten(0, 1)))
    return images.unflatten(0, (model.latent_dim, len(values)))


@torch.no_grad()
def mean_kl(
    model: VAE, images: Float[Tensor, "n channels height width"], batch_size: int = 256
) -> Float[Tensor, " latent_dim"]:
    """KL(q(z_j|x) ‖ p(z_j)) of each dimension, in nats, averaged over images.

    Near 0 means that the dimension has collapsed: its code says nothing of the image.
    """
    weight = next(model.parameters())
    batches = (model.encode(x.to(weight)) for x in images.split(batch_size))
    return torch.cat([kl_per_dimension(q, model.prior).cpu() for q in batches]).mean(0)


def traversal_figure(
    model: VAE,
    x: Float[Tensor, "channels height width"],
    kl: Float[Tensor, " latent_dim"],
    values: Sequence[float] = VALUES,
) -> "Figure":
    """A row of images for each dimension of the code, the most informative first.

    Args:
        model: the model.
        x: the image to start from.
        kl: nats of each dimension (:func:`mean_kl`): the rows' order and labels.
        values: see :func:`traverse`.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide. Labels of collapsed dimensions are grey.
    """
    order = kl.argsort(descending=True).tolist()
    picture = image_grid(traverse(model, x, values)[order])
    height, width, _ = picture.shape
    figure, axes = show_grid(picture, below=0.6)
    row, column = height / len(order), width / len(values)
    labels = [f"dimension {j}\n{kl[j]:.2f} nats" for j in order]
    axes.set_yticks([row * (i + 0.5) for i in range(len(order))], labels)
    for label, j in zip(axes.get_yticklabels(), order, strict=True):
        label.set_color("black" if kl[j] > COLLAPSED else "0.6")
    axes.set_xticks(
        [column * (i + 0.5) for i in range(len(values))], [f"{value:g}" for value in values]
    )
    axes.set_xlabel("value of the dimension, the others at the image's posterior mean")
    return figure
