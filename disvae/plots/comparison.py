"""What each dimension does to an image, in several models side by side."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.dimensions import Dimensions
from disvae.plots.grid import image_grid
from disvae.plots.style import DPI, styled
from disvae.plots.traversals import starts, traverse_posterior

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABEL, PICTURE, TITLE = 1.15, 3.6, 0.3  # inches: beside a picture, of its width, above it
VALUES = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)


@styled
def comparison_figure(
    models: Mapping[str, tuple[LatentModel, Dimensions]],
    x: Float[Tensor, "channels height width"],
    rows: int = 6,
    values: Sequence[float] = VALUES,
) -> "Figure":
    """Traversals from one image by several models, each in a column under its name.

    Args:
        models: a model and what is known of its dimensions
            (:func:`disvae.plots.dimensions.describe_dimensions`), by the title of its column.
        x: the image to start from, in [0, 1].
        rows: dimensions to show of each model, those of the largest KL first.
        values: what a dimension is set to; see :func:`disvae.plots.traversals.values_of` for a
            categorical one.

    Returns:
        A matplotlib figure. Labels of collapsed dimensions are grey.

    Raises:
        ValueError: if there is no model, or ``rows`` is below 1.

    Example:
        >>> from disvae import BurgessVAE
        >>> from disvae.data import Sprites
        >>> from disvae.plots.dimensions import describe_dimensions
        >>> data, model = Sprites(size=16), BurgessVAE((1, 16, 16), latent_dim=3)
        >>> known = describe_dimensions(model, data, n_images=50)
        >>> figure = comparison_figure({"untrained": (model, known)}, data[400_000][0], rows=2)
    """
    from matplotlib.figure import Figure

    if not models:
        raise ValueError("there is no model to draw: give one at least")
    grids = {}
    for title, (model, known) in models.items():
        order = known.order(rows)
        images = traverse_posterior(model, starts(model, x[None]), order, values)
        grids[title] = image_grid(images.flatten(0, 1)), order
    tallest = max(picture.shape[0] / picture.shape[1] for picture, _ in grids.values())
    width, height = len(grids) * (LABEL + PICTURE), TITLE + PICTURE * tallest
    figure = Figure(figsize=(width, height), dpi=DPI)
    for column, (title, (picture, order)) in enumerate(grids.items()):
        down = PICTURE * picture.shape[0] / picture.shape[1]
        left = column * (LABEL + PICTURE) + LABEL
        box = (left, height - TITLE - down, PICTURE - 0.05, down)
        axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
        axes.imshow(picture.numpy(), interpolation="nearest")
        axes.set_title(title, loc="center")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        known, side = models[title][1], picture.shape[0] / len(order)
        places = [side * (i + 0.5) - 0.5 for i in range(len(order))]
        axes.set_yticks(places, [_label(known, j) for j in order], fontsize=8)
        for label, j in zip(axes.get_yticklabels(), order, strict=True):
            label.set_color(known.colour(j))
    return figure


def _label(known: Dimensions, j: int) -> str:
    """Name a row by what its dimension knows, or by its number where it knows little."""
    return f"{known.called[j] or f'dimension {j}'}\n{known.kl[j]:.2f} nats"
