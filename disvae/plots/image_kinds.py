"""The kinds of pictures of images that ``disvae plot`` draws: functions of a run.

A keyword of such a function is an option of the command, its text below the option's help. All of
them but ``run`` have a default.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from disvae.plots.choice import choose_images
from disvae.plots.images import images_figure
from disvae.training import Run, load_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def data_samples(
    run: Run,
    *,
    rows: int = 4,
    columns: int = 8,
    images: Sequence[int] = (),
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """Images of the run's data set, each with its index above it.

    Args:
        run: the run.
        rows: rows of images.
        columns: images in a row.
        images: indices of the images that come first.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    data = run.data()
    indices = choose_images(data, rows * columns, images, seed)
    shown = load_images(data, indices).unflatten(0, (rows, columns))
    return images_figure(shown, [str(index) for index in indices.tolist()], scale=scale)


@torch.no_grad()
def samples(
    run: Run, *, rows: int = 4, columns: int = 8, scale: int | None = None, seed: int = 0
) -> "Figure":
    """Images that the model makes of codes drawn from the prior.

    Args:
        run: the run.
        rows: rows of images.
        columns: images in a row.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the codes.

    Returns:
        A matplotlib figure.
    """
    drawn = run.model().sample(rows * columns, torch.Generator().manual_seed(seed))
    return images_figure(drawn.unflatten(0, (rows, columns)), scale=scale)
