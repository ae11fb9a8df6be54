"""Images side by side."""

from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from disvae.plots.style import DPI, WIDTH

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
    picture: Float[Tensor, "grid_height grid_width 3"],
    below: float = 0.1,
    left: float = 1.2,
    scale: int | None = None,
    dpi: int = DPI,
) -> "tuple[Figure, Axes]":
    """A new figure of the picture, with room for labels to its left and below, and its axes.

    The figure is 9 inches wide at 200 pixels per inch: crisp where a page shows it 900 pixels wide.
    It belongs to nobody: matplotlib's global state (pyplot) is not touched.

    Args:
        picture: from :func:`image_grid`.
        below: inches left free below the picture.
        left: inches left free to its left.
        scale: pixels of the figure for each pixel of the picture, whatever width that makes.
        dpi: pixels per inch.

    Raises:
        ValueError: a scale below 1.
    """
    from matplotlib.figure import Figure

    if scale is not None and scale < 1:
        raise ValueError(f"scale must be at least 1 pixel for each pixel, got {scale}")
    height, width, _ = picture.shape
    right = 0.1  # inches
    picture_width = WIDTH - left - right if scale is None else width * scale / dpi
    picture_height = picture_width * height / width
    across, down = left + picture_width + right, picture_height + below + 0.1
    figure = Figure(figsize=(across, down), dpi=dpi)
    box = (left / across, below / down, picture_width / across, picture_height / down)
    axes = figure.add_axes(box)
    axes.imshow(picture.numpy(), interpolation="nearest")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes
