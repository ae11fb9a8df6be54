"""Images beside what a model makes of them."""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.images import images_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@torch.no_grad()
def reconstruction_figure(
    model: LatentModel,
    images: Float[Tensor, "n channels height width"],
    columns: int | None = None,
    show_loss: bool = False,
    scale: int | None = None,
) -> "Figure":
    """Rows of images, with their reconstructions from the posterior mean in a row below each.

    Args:
        model: the model.
        images: at least one, in [0, 1].
        columns: images in a row, of which the number of images is a multiple; all if None.
        show_loss: write −log p(x|z) at the posterior mean, in nats, above each reconstruction.
        scale: pixels of the picture for each pixel of an image; None to fill its usual width.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: the last row would not be full.
    """
    columns = columns or len(images)
    if len(images) == 0 or len(images) % columns:
        raise ValueError(f"expected full rows of {columns} images, got {len(images)} images")
    x = images.to(next(model.parameters()))
    parameters = model.decode(model.represent(x))
    reconstructions = model.likelihood.mean(parameters).to(images)
    pairs = torch.stack([part.unflatten(0, (-1, columns)) for part in (images, reconstructions)], 1)
    captions = []
    if show_loss:
        loss = model.likelihood.nll(parameters, x).view(-1, columns)
        for row in loss.tolist():
            captions += [""] * columns + [f"{nats:.1f} nats" for nats in row]
    labels = ["image", "reconstruction"] * len(pairs)
    return images_figure(pairs.flatten(0, 1), captions, labels, scale)
