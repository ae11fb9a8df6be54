"""Animations of traversals: along the values of each dimension, and along the time of training."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.animation import Animation, render
from disvae.plots.dimensions import Dimensions
from disvae.plots.grid import image_grid, label_columns, label_rows, show_grid
from disvae.plots.style import MOVING_DPI, MOVING_WIDTH, styled
from disvae.plots.traversals import Unit, label_values, starts, traverse_posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def traversal_animation(
    model: LatentModel,
    x: Float[Tensor, "n channels height width"] | None,
    dimensions: Dimensions,
    values: Sequence[float],
    rows: int | None = None,
    unit: Unit = "code",
    labels: Sequence[str] = (),
    scale: int | None = None,
    fps: float = 10.0,
) -> Animation:
    """A grid of moving traversals: a row for each dimension, a column for each image.

    Args:
        model: the model.
        x: the images to start from; None for the mean of the prior.
        dimensions: the rows' order and labels.
        values: what the dimensions are set to, there and back.
        rows: only so many dimensions, those of the largest KL; all if None.
        unit: what the values count in, see :func:`traverse_posterior`.
        labels: of the columns; none if empty.
        scale: pixels of a frame for each pixel of an image; None to fill 650 pixels.
        fps: frames a second.

    Returns:
        2·n_values − 2 frames, after which the first fits again.
    """
    order = dimensions.order(rows)
    images = traverse_posterior(model, starts(model, x), order, values, unit)
    moments = [*range(len(values)), *range(len(values) - 2, 0, -1)]
    axes = _screen(images[:, :, 0], scale)
    _name_rows(axes, dimensions, order)
    axes.set_xticks([])
    if labels:
        label_columns(axes, labels)
    what = "value of the dimension" if unit == "code" else "standard deviations from the mean"
    frames = [_frame(axes, images[:, :, v], f"{what}: {values[v]:+.2f}") for v in moments]
    return Animation(np.stack(frames), fps)


@styled
def training_animation(
    models: Iterable[tuple[int, LatentModel, Dimensions]],
    x: Float[Tensor, "channels height width"] | None,
    order: Sequence[int],
    values: Sequence[float],
    unit: Unit = "code",
    scale: int | None = None,
    fps: float = 5.0,
) -> Animation:
    """The traversals of one model over its training: a frame for each time.

    Args:
        models: the step, the model and its dimensions at each time.
        x: the image to start from; None for the mean of the prior.
        order: the dimensions that have a row, which stay in their places.
        values: what they are set to.
        unit: what the values count in, see :func:`traverse_posterior`.
        scale: pixels of a frame for each pixel of an image; None to fill 650 pixels.
        fps: frames a second.

    Returns:
        As many frames as there are models, with the nats of each dimension at that time.
    """
    frames = []
    axes = None
    for step, model, dimensions in models:
        start = starts(model, None if x is None else x[None])
        images = traverse_posterior(model, start, order, values, unit)[:, 0]
        if axes is None:
            axes = _screen(images, scale)
            label_values(axes, values, [model.sizes[j] for j in order], digits=2)
        _name_rows(axes, dimensions, order)
        frames.append(_frame(axes, images, f"step {step:,}"))
    if not frames:
        raise ValueError("there is no model to draw")
    return Animation(np.stack(frames), fps)


def _screen(
    images: Float[Tensor, "rows columns channels height width"], scale: int | None
) -> "Axes":
    """The axes of a figure on which such images are to be shown one after the other."""
    picture = image_grid(images)
    return show_grid(picture, 0.5, scale=scale, width=MOVING_WIDTH, dpi=MOVING_DPI)[1]


def _name_rows(axes: "Axes", dimensions: Dimensions, order: Sequence[int]) -> None:
    colours = [dimensions.colour(j) for j in order]
    label_rows(axes, [dimensions.label(j) for j in order], colours)


def _frame(
    axes: "Axes", images: Float[Tensor, "rows columns channels height width"], text: str
) -> np.ndarray:
    axes.images[0].set_data(image_grid(images).numpy())
    axes.set_xlabel(text)
    figure = axes.get_figure(root=True)
    assert figure is not None
    return render(figure)
