"""Images, their reconstructions, and the traversals of the first: a model on one page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.dimensions import Dimensions
from disvae.plots.grid import image_grid, label_rows, show_grid
from disvae.plots.style import styled
from disvae.plots.traversals import Unit, explain, label_values, starts, traverse_posterior

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
@torch.no_grad()
def reconstruct_traverse_figure(
    model: LatentModel,
    images: Float[Tensor, "n_values channels height width"],
    dimensions: Dimensions,
    values: Sequence[float],
    rows: int | None = None,
    posterior: bool = False,
    unit: Unit = "code",
    show_loss: bool = False,
    scale: int | None = None,
) -> "Figure":
    """A row of images, a row of their reconstructions, and a row for each dimension.

    Args:
        model: the model.
        images: as many as there are values, in [0, 1].
        dimensions: the rows' order and labels (:func:`describe_dimensions`).
        values: what each dimension is set to.
        rows: only so many dimensions, those of the largest KL; all if None.
        posterior: start from the posterior mean of the first image, not from the prior's.
        unit: what the values count in, see :func:`traverse_posterior`.
        show_loss: write the mean of −log p(x|z) beside the reconstructions, in nats.
        scale: pixels of the picture for each pixel of an image; None to fill its usual width.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: not one image for each value.
    """
    if len(images) != len(values):
        raise ValueError(f"expected {len(values)} images, one for each value, got {len(images)}")
    x = images.to(next(model.parameters()))
    parameters = model.decode(model.represent(x))
    order = dimensions.order(rows)
    start = starts(model, x[:1] if posterior else None)
    moved = traverse_posterior(model, start, order, values, unit)[:, 0]
    pair = torch.stack([x, model.likelihood.mean(parameters)])
    picture = image_grid(torch.cat([pair, moved]))
    label = "reconstruction"
    if show_loss:
        label += f"\n{model.likelihood.nll(parameters, x).mean():.1f} nats"
    figure, axes = show_grid(picture, below=0.5, scale=scale)
    colours = ["black", "black", *(dimensions.colour(j) for j in order)]
    label_rows(axes, ["image", label, *(dimensions.label(j) for j in order)], colours)
    axes.axhline(2 * len(picture) / (2 + len(order)) - 0.5, color="black", lw=0.8)
    sizes = [model.sizes[j] for j in order]
    label_values(axes, values, sizes, above=2)
    axes.set_xlabel(explain(not posterior, unit, sizes))
    return figure
