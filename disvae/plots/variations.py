"""Variations of an image: one part of its code is kept, and the rest is drawn from the prior."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.grid import image_grid, show_grid
from disvae.plots.style import styled
from disvae.plots.swaps import check_part, numbers, set_apart

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@torch.no_grad()
def vary(
    model: LatentModel,
    x: Float[Tensor, "n channels height width"],
    dimensions: Sequence[int],
    n: int = 8,
    seed: int = 0,
) -> Float[Tensor, "n n_variations channels height width"]:
    """Decode codes that have some dimensions of an image and the others of the prior.

    Args:
        model: the model; what is kept of an image is its representation.
        x: images in [0, 1].
        dimensions: the part that is kept, such as the specified one of a cycle-consistent VAE.
        n: how many codes to draw; all images have the same.
        seed: of the draws.

    Returns:
        Mean images, on the model's device; ``[i, j]`` has ``dimensions`` of ``x[i]`` and the rest
        of the draw j.

    Raises:
        ValueError: no dimensions, all of them, one twice, one that the codes do not have, or no
            draws.

    Reference:
        Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders, Jha et
        al. 2018, https://arxiv.org/abs/1804.10469
    """
    if n < 1:
        raise ValueError(f"expected at least one draw from the prior, got {n}")
    part = check_part(dimensions, model.latent_dim)
    kept = model.represent(x.to(next(model.parameters())))
    codes = model.draw(n, torch.Generator().manual_seed(seed)).repeat(len(x), 1, 1)
    codes[:, :, part] = kept[:, None, part]
    images = model.likelihood.mean(model.decode(codes.flatten(0, 1)))
    return images.unflatten(0, (len(x), n))


@styled
def variations_figure(
    model: LatentModel,
    x: Float[Tensor, "n channels height width"],
    dimensions: Sequence[int],
    n: int = 8,
    seed: int = 0,
    part: str = "",
) -> "Figure":
    """A row of variations for each image, which stands on its left.

    What a row has in common is what the kept part holds, what a column has in common is the draw.

    Args:
        model: see :func:`vary`.
        x: see :func:`vary`.
        dimensions: see :func:`vary`.
        n: see :func:`vary`.
        seed: see :func:`vary`.
        part: what the kept part is called; the numbers of its dimensions if empty.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: see :func:`vary`.

    Example:
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 16, 16), latent_dim=4), torch.rand(3, 1, 16, 16)
        >>> figure = variations_figure(model, x, dimensions=[2, 3], part="content")
        >>> figure.axes[0].get_xlabel()
        'content of the image on the left, the rest drawn from the prior'
    """
    varied = vary(model, x, dimensions, n, seed).float().cpu()
    table = torch.cat([x[:, None].to(varied), varied], dim=1)
    picture = set_apart(image_grid(table), 0, x.shape[-1] + 2)
    figure, axes = show_grid(picture, below=0.4, left=0.1)
    axes.set_xticks([])
    axes.set_yticks([])
    kept = part or numbers(list(dimensions))
    axes.set_xlabel(f"{kept} of the image on the left, the rest drawn from the prior")
    return figure
