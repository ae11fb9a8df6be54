"""Pictures that come from outside, decoded with care."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disvae.data.files import DAMAGE
from disvae.data.pictures import MODES

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# Formats that Pillow decodes by itself; others, such as PostScript, start further programs.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")

# A file of this size, and a picture of this many pixels, are more than any model here looks at.
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 25_000_000


def read_picture(
    content: bytes, image_shape: tuple[int, int, int]
) -> Float[Tensor, "channels height width"]:
    """A picture file as an image that a model takes.

    The largest part in its middle that has the model's proportions, resized (bilinear,
    antialiased), grey or RGB as the model's images are; what is transparent becomes black.

    Args:
        content: what the file holds: PNG, JPEG, WebP, BMP or GIF (its first picture).
        image_shape: the model's (channels, height, width).

    Returns:
        The image, float32 in [0, 1].

    Raises:
        ValueError: the file is too large, is no picture, is damaged, has more than 25 million
            pixels, or more than eight bits a channel.

    Example:
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("RGB", (80, 60), "white").save(file, "PNG")
        >>> read_picture(file.getvalue(), (1, 32, 32)).mean()
        tensor(1.)
    """
    if len(content) > MAX_BYTES:
        raise ValueError(
            f"the file has {len(content) / 2**20:.1f} MB: choose one of at most "
            f"{MAX_BYTES // 2**20} MB"
        )
    channels, height, width = image_shape
    small = _decode(content, MODES[channels], (width, height))
    values = torch.from_numpy(np.array(small)).reshape(height, width, channels)
    return values.permute(2, 0, 1).float() / 255


def _decode(content: bytes, mode: str, size: tuple[int, int]) -> "Picture":
    from PIL import Image, ImageOps

    with _reading():
        picture = Image.open(io.BytesIO(content), formats=FORMATS)  # reads the header alone
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(_too_large(f"it has {width} × {height}"))
    if picture.mode[0] in "IF":
        raise ValueError("the picture has more than eight bits a channel: save it with eight")
    with _reading():
        opaque = _opaque(ImageOps.exif_transpose(picture))
    return _middle(opaque, size).convert(mode).resize(size, Image.Resampling.BILINEAR)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what Pillow raises for a bad file into a ``ValueError`` that says what to do."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(_too_large("many more than a screen")) from error
    except (*DAMAGE, struct.error) as error:
        raise ValueError(
            "the file is damaged, or no picture of a kind that is read here: choose a PNG, JPEG, "
            "WebP, BMP or GIF"
        ) from error


def _too_large(what: str) -> str:
    return f"the picture has too many pixels ({what}): choose one of at most {MAX_PIXELS:,}"


def _middle(picture: "Picture", size: tuple[int, int]) -> "Picture":
    """The largest part in the middle that has the proportions of ``size``."""
    scale = min(picture.width / size[0], picture.height / size[1])
    width, height = max(1, round(scale * size[0])), max(1, round(scale * size[1]))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _opaque(picture: "Picture") -> "Picture":
    """The picture over black, if parts of it are transparent."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    above = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "black"), above)
