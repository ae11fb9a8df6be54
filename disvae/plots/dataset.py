"""What a data set looks like: random images, and each factor varied alone."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from disvae.data import FactorDataset, FactorSpace, ImageDataset
from disvae.plots.grid import image_grid, show_grid
from disvae.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 12


@styled
def dataset_figure(data: ImageDataset, rows: int = 2, seed: int = 0) -> "Figure":
    """Rows of random images, then one row for each factor that takes it through its values.

    The other factors stay as they are in one of the images. A factor of more values than there are
    columns is shown at evenly spaced ones; where the data lacks a combination, a place is white.

    Args:
        data: the data set; only its random images are drawn if it has no factors.
        rows: rows of random images.
        seed: which images.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: fewer than one row.
    """
    if rows < 1:
        raise ValueError(f"rows must be at least 1, got {rows}")
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(data), (rows * COLUMNS,), generator=generator)
    images = [data.floats(chosen).unflatten(0, (rows, COLUMNS))]
    labels = {(rows - 1) / 2: "random"}
    if isinstance(data, FactorDataset):
        for k in range(data.space.n_factors):
            images.append(_varied(data, k, int(chosen[0]))[None])
            labels[rows + k] = _label(data.space, k)
    picture = image_grid(torch.cat(images))
    figure, axes = show_grid(picture, below=0.1)
    axes.set_xticks([])
    height = data.image_shape[1] + 2  # with its frame
    places = [height * (row + 0.5) for row in labels]
    axes.set_yticks(places, list(labels.values()))
    return figure


def _label(space: FactorSpace, k: int) -> str:
    """The name of a factor, and its first and last value where they are more than numbers."""
    name = space.names[k].replace("_", " ")
    if not space.values:
        return name
    first, *_, last = *space.values[k], space.values[k][-1]
    return f"{name}\n{first} to {last}"


def _varied(data: FactorDataset, k: int, start: int) -> Tensor:
    """Images with all factors but the ``k``-th as in image ``start``; white where there is none."""
    factors = data.factors(torch.arange(len(data)))
    others = [j for j in range(data.space.n_factors) if j != k]
    alike = (factors[:, others] == factors[start, others]).all(1).nonzero()[:, 0]
    size = data.space.sizes[k]
    values = torch.linspace(0, size - 1, min(size, COLUMNS)).round().long()
    row = torch.ones(COLUMNS, *data.image_shape)
    for column, value in enumerate(values):
        found = alike[factors[alike, k] == value]
        if len(found):
            row[column] = data.floats(found[:1])[0]
    return row
