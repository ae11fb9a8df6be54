"""Many images of one size in one picture, which a page cuts into cells by itself."""

import base64
import io
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Sheet:
    """Images in rows and columns without gaps.

    Attributes:
        uri: a PNG as a ``data:`` address.
        rows, columns: how many images.
        height, width: pixels of one image.
    """

    uri: str
    rows: int
    columns: int
    height: int
    width: int


def make_sheet(images: Float[Tensor, "rows columns channels height width"]) -> Sheet:
    """Put images into one picture: a row of the page's cells for each row.

    Args:
        images: in [0, 1], of 1 or 3 channels; values beyond are cut off. PNG keeps the rounded
            bytes exactly.

    Raises:
        ValueError: another number of channels.
    """
    from PIL import Image

    rows, columns, channels, height, width = images.shape
    if channels not in (1, 3):
        raise ValueError(f"expected images of 1 or 3 channels, got {channels}")
    pixels = images.detach().float().cpu().clamp(0, 1).mul(255).round().byte()
    table = pixels.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
    picture = Image.fromarray((table[..., 0] if channels == 1 else table).numpy())
    buffer = io.BytesIO()
    picture.save(buffer, "png", optimize=True)
    content = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Sheet(f"data:image/png;base64,{content}", rows, columns, height, width)
