"""Images side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from disvae.plots.style import DPI, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST, SMALLEST = 9.0, 4.0  # points of a label


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
    width: float = WIDTH,
    dpi: int = DPI,
) -> "tuple[Figure, Axes]":
    """A new figure of the picture, with room for labels to its left and below, and its axes.

    It is 9 inches wide at 200 pixels per inch if not told otherwise, and belongs to nobody:
    matplotlib's global state (pyplot) is not touched.

    Args:
        picture: from :func:`image_grid`.
        below: inches left free below the picture.
        left: inches left free to its left.
        scale: pixels of the figure for each pixel of the picture, whatever width that makes.
        width: inches of the whole figure if there is no scale.
        dpi: pixels per inch.

    Raises:
        ValueError: a scale below 1.
    """
    from matplotlib.figure import Figure

    if scale is not None and scale < 1:
        raise ValueError(f"scale must be at least 1 pixel for each pixel, got {scale}")
    pixels_down, pixels_across, _ = picture.shape
    right = 0.1  # inches
    picture_width = width - left - right if scale is None else pixels_across * scale / dpi
    picture_height = picture_width * pixels_down / pixels_across
    across, down = left + picture_width + right, picture_height + below + 0.1
    figure = Figure(figsize=(across, down), dpi=dpi)
    box = (left / across, below / down, picture_width / across, picture_height / down)
    axes = figure.add_axes(box)
    axes.imshow(picture.numpy(), interpolation="nearest")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure, axes


def label_rows(
    axes: "Axes", labels: Sequence[str], colours: Sequence[str] = (), together: int = 1
) -> None:
    """Write a label to the left of each row of a grid, no larger than the room there allows.

    Args:
        axes: from :func:`show_grid`.
        labels: one for each row, or for each group of rows.
        colours: of the labels; black if empty.
        together: rows in a group, a line between which and the next sets it apart.
    """
    picture: Any = axes.images[0].get_array()
    height = len(picture) / len(labels)
    lines = max(label.count("\n") + 1 for label in labels)
    inches = axes.get_window_extent().height / axes.figure.dpi / len(labels)
    left = axes.get_window_extent().x0 / axes.figure.dpi - 0.1  # inches
    longest = max(len(line) for label in labels for line in label.split("\n"))
    allowed = min(72 * inches / (1.3 * lines), 72 * left / (0.6 * longest))
    size = max(SMALLEST, min(LARGEST, allowed))  # points
    axes.set_yticks([height * (i + 0.5) - 0.5 for i in range(len(labels))], list(labels))
    for label, colour in zip(
        axes.get_yticklabels(), colours or ["black"] * len(labels), strict=True
    ):
        label.set(color=colour, fontsize=size)
    if together > 1:
        for i in range(1, len(labels)):
            axes.axhline(height * i - 0.5, color="black", lw=0.8)


def label_images(axes: "Axes", row: int, n_rows: int, labels: Sequence[str]) -> None:
    """Write a label into the upper left corner of each image in a row of a grid.

    Args:
        axes: from :func:`show_grid`.
        row: which one, from above.
        n_rows: of the grid.
        labels: one for each image.
    """
    from matplotlib.patheffects import withStroke

    picture: Any = axes.images[0].get_array()
    height, width = len(picture) / n_rows, picture.shape[1] / len(labels)
    inches = axes.get_window_extent().width / axes.figure.dpi / len(labels)
    size = max(SMALLEST, min(LARGEST, 72 * inches / 6))  # points
    legible = [withStroke(linewidth=size / 4, foreground="white")]  # whatever the image is
    for column, label in enumerate(labels):
        place = width * (column + 0.06) - 0.5, height * (row + 0.06) - 0.5
        axes.text(*place, label, va="top", fontsize=size, path_effects=legible)


def label_columns(axes: "Axes", labels: Sequence[str]) -> None:
    """Write a label below each column of a grid."""
    picture: Any = axes.images[0].get_array()
    width = picture.shape[1] / len(labels)
    inches = axes.get_window_extent().width / axes.figure.dpi / len(labels)
    longest = max(len(label) for label in labels)
    size = max(SMALLEST, min(LARGEST, 72 * inches / (0.65 * longest)))  # points
    axes.set_xticks(
        [width * (i + 0.5) - 0.5 for i in range(len(labels))], list(labels), fontsize=size
    )
