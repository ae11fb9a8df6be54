"""Picture files, cropped, resized and decoded when they are asked for."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import Images
from disvae.data.files import reading

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {1: "L", 3: "RGB"}
# What is opened: other formats start other programs, or nobody has asked for them.
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 100_000_000  # 300 MB as RGB
BILINEAR = 2  # Pillow's number for it, without loading Pillow


@dataclass(frozen=True)
class Pictures:
    """Picture files as square images of one size: a centred crop, resized (bilinear, antialiased).

    The crop and the filter are those of torchvision's ``CenterCrop`` and ``Resize``.

    Attributes:
        folder: where the files lie.
        names: their paths below the folder.
        size: side of the images.
        channels: 3 for RGB, 1 for grey.
        crop: side of the centred square that is cut out first; the largest if None.
        background: what shows where a picture is transparent, a grey from 0, black, to 255, white.

    Raises:
        ValueError: no files, or a size, crop, number of channels or grey that no image has.
    """

    folder: Path
    names: list[str]
    size: int
    channels: int
    crop: int | None = None
    background: int = 0

    def __post_init__(self) -> None:
        if self.channels not in MODES:
            raise ValueError(f"channels must be 1 (grey) or 3 (RGB), got {self.channels}")
        if self.size < 1 or (self.crop is not None and self.crop < 1):
            raise ValueError(f"expected size and crop >= 1, got {self.size} and {self.crop}")
        if not 0 <= self.background <= 255:
            raise ValueError(f"background must be from 0 to 255, got {self.background}")
        if not self.names:
            raise ValueError(f"there are no pictures in {self.folder}")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.size, self.size)

    def read(self, indices: Int[Tensor, " n"]) -> Images:
        """Decode some of the pictures.

        Raises:
            ValueError: a file is damaged or missing, or holds what :func:`decode` does not take, or
                its picture is smaller than the crop; the message names it.
        """
        images = torch.empty(len(indices), *self.image_shape, dtype=torch.uint8)
        for row, index in enumerate(indices.tolist()):
            file = self.folder / self.names[index]
            upright = decode(file, self.channels, self.background)
            try:
                square = centred_square(upright, self.crop)
            except ValueError as error:
                raise ValueError(f"{file}: {error}") from None
            small = square.resize((self.size, self.size), BILINEAR)
            pixels = torch.from_numpy(np.array(small)).reshape(self.size, self.size, -1)
            images[row] = pixels.permute(2, 0, 1)
        return images


def decode(file: Path, channels: int, background: int = 0) -> "Image":
    """The picture of a file, upright, in bytes of grey or RGB.

    Where it is transparent the background shows. A palette gives its colours, CMYK becomes RGB as
    Pillow has it. Of 16 bits a channel the upper 8 are kept, as PNG's own readers do.

    Args:
        file: in one of :data:`FORMATS`, whatever its name says.
        channels: 3 for RGB, 1 for grey.
        background: a grey from 0, black, to 255, white.

    Raises:
        ValueError: the file is damaged, missing or of another format, has several pictures, numbers
            that are not bytes, or more than :data:`MOST_PIXELS`.
    """
    from PIL import Image, ImageOps

    upright, wrong = None, ""
    with reading(file), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our bound is lower
        try:
            with Image.open(file, formats=FORMATS) as picture:
                wrong = _what_is_wrong(picture)
                if not wrong:
                    upright = ImageOps.exif_transpose(picture)
        except Image.DecompressionBombError as error:
            wrong = str(error)
        except (SyntaxError, TypeError) as error:  # of some broken PNG and TIFF files
            raise ValueError(str(error)) from error
    if upright is None:
        raise ValueError(f"{file}: {wrong}")
    if upright.mode.startswith("I"):
        upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        behind = Image.new("RGBA", layer.size, (background, background, background, 255))
        upright = Image.alpha_composite(behind, layer)
    return upright.convert(MODES[channels])


def _what_is_wrong(picture: "Image") -> str:
    """Why a picture that is not damaged cannot be taken, if so."""
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # a camera's JPEG, with previews after the picture
        return f"it holds {frames} pictures, an animation or pages: save each as a file of its own"
    width, height = picture.size
    if width * height > MOST_PIXELS:
        return f"it has {width} × {height} pixels, more than {MOST_PIXELS:,}: make it smaller"
    sixteen = picture.mode == "I" and picture.format in ("PNG", "PPM")  # which have no more
    if picture.mode in ("I", "F") and not sixteen:
        return (
            f"its numbers, of Pillow's mode {picture.mode}, are not bytes: scale them to 0 to 255"
        )
    return ""


def centred_square(picture: "Image", side: int | None = None) -> "Image":
    """The square of that side, or the largest, in the middle of a picture."""
    width, height = picture.size
    side = side or min(width, height)
    if side > min(width, height):
        raise ValueError(f"a crop of {side} pixels does not fit into {width} × {height}")
    left, top = round((width - side) / 2), round((height - side) / 2)
    return picture.crop((left, top, left + side, top + side))


def find_folder(candidates: list[Path], pattern: str, where_to_get: str) -> Path:
    """The first of the folders in which something matches the pattern.

    Raises:
        FileNotFoundError: none does; the message says which were looked for, and where to get one.
    """
    for folder in candidates:
        if next(folder.glob(pattern), None) is not None:
            return folder
    tried = " or ".join(str(folder / pattern) for folder in candidates)
    raise FileNotFoundError(f"there is no {tried}: {where_to_get}")
