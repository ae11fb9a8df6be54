"""Images side by side."""

from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def image_grid(
    images: Float[Tensor, "rows columns channels height width"],
) -> Float[Tensor, "grid_height grid_width 3"]:
    """Rows of images as one RGB picture in [0, 1], with a white line of one pixel around each.

    Grey images become RGB; values outside [0, 1] are cut off.
    """
    rows, columns, channels, _, _ = images.shape
    if channels not in (1, 3):
        raise ValueError(f"expected images of 1 or 3 channels, got {channels}")
    framed = F.pad(images.detach().float().cpu().clamp(0, 1), (1, 1, 1, 1), value=1.0)
    rgb = framed.expand(rows, columns, 3, *framed.shape[-2:])
    return rgb.permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)


def show_grid(
    picture: Float[Tensor, "grid_height grid_width 3"], below: float
) -> "tuple[Figure, Axes]":
    """A new figure of the picture, with room for labels to its left and below, and its axes.

    The figure is 9 inches wide at 200 pixels per inch: crisp where a page shows it 900 pixels wide.
    It belongs to nobody: matplotlib's global state (pyplot) is not touched.

    Args:
        picture: from :func:`image_grid`.
        below: inches left free below the picture.
    """
    from matplotlib.figure import Figure

    height, width, _ = picture.shape
    left, picture_width = 1.2, 7.7  # inches
    picture_height = picture_width * height / width
    total = picture_height + below + 0.1
    figure = Figure(figsize=(9.0, total), dpi=200)
    box = (left / 9.0, below / total, picture_width / 9.0, picture_height / total)
    axes = figure.add_axes(box)
    axes.imshow(picture.numpy(), interpolation="nearest")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes
