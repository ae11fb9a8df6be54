"""Images side by side, each with a line of words above it if there is something to say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from disvae.plots.grid import image_grid, label_rows, show_grid
from disvae.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = 0.2  # height of a caption's line, as a part of the image's


@styled
def images_figure(
    images: Float[Tensor, "rows columns channels height width"],
    captions: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    scale: int | None = None,
) -> "Figure":
    """Rows of images.

    Args:
        images: in [0, 1].
        captions: a short text above each image, row by row; none if empty.
        row_labels: a text to the left of each row; none if empty.
        scale: pixels of the picture for each pixel of an image; None to fill its usual width.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: texts that are not as many as the images or rows, or a scale below 1.
    """
    rows, columns, _, height, _ = images.shape
    for texts, expected in ((captions, rows * columns), (row_labels, rows)):
        if texts and len(texts) != expected:
            raise ValueError(f"expected {expected} texts, got {len(texts)}")
    above = round(CAPTION * height) if captions else 0
    spaced = F.pad(images.float().cpu().clamp(0, 1), (0, 0, above, 0), value=1.0)
    figure, axes = show_grid(image_grid(spaced), left=1.2 if row_labels else 0.1, scale=scale)
    axes.set_xticks([])
    axes.set_yticks([])
    if row_labels:
        label_rows(axes, row_labels)
    if captions:
        _write(axes, captions, torch.Size((rows, columns)), above)
    return figure


def _write(axes: "Axes", captions: Sequence[str], shape: torch.Size, above: int) -> None:
    """Put the captions into the white space above the images."""
    inches = axes.get_window_extent().height / axes.figure.dpi
    picture: Any = axes.images[0].get_array()
    height, width = (size / n for size, n in zip(picture.shape[:2], shape, strict=True))
    size = min(9.0, 72 * inches * 0.8 * above / picture.shape[0])  # points
    for place, caption in enumerate(captions):
        row, column = divmod(place, shape[1])
        x, y = (column + 0.5) * width - 0.5, row * height + above * 0.55
        axes.text(x, y, caption, ha="center", va="center", fontsize=size)
