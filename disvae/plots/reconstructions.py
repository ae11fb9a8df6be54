"""Images beside what a model makes of them."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import VAE
from disvae.plots.grid import image_grid, show_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@torch.no_grad()
def reconstruction_figure(model: VAE, images: Float[Tensor, "n channels height width"]) -> "Figure":
    """Images in the upper row, their reconstructions from the posterior mean in the lower.

    Args:
        model: the model.
        images: at least one, in [0, 1].

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.
    """
    weight = next(model.parameters())
    reconstructions = model.reconstruct(images.to(weight)).to(images)
    picture = image_grid(torch.stack([images, reconstructions]))
    height = len(picture)
    figure, axes = show_grid(picture, below=0.1)
    axes.set_yticks([height / 4, 3 * height / 4], ["image", "reconstruction"])
    axes.set_xticks([])
    return figure
