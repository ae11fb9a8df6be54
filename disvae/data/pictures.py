"""Picture files, cropped, resized and decoded when they are asked for."""

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

    Raises:
        ValueError: no files, or a size, crop or number of channels that no image has.
    """

    folder: Path
    names: list[str]
    size: int
    channels: int
    crop: int | None = None

    def __post_init__(self) -> None:
        if self.channels not in MODES:
            raise ValueError(f"channels must be 1 (grey) or 3 (RGB), got {self.channels}")
        if self.size < 1 or (self.crop is not None and self.crop < 1):
            raise ValueError(f"expected size and crop >= 1, got {self.size} and {self.crop}")
        if not self.names:
            raise ValueError(f"there are no pictures in {self.folder}")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.size, self.size)

    def read(self, indices: Int[Tensor, " n"]) -> Images:
        """Decode some of the pictures.

        Raises:
            ValueError: a file is damaged or missing, its picture is smaller than the crop, or has
                more than eight bits a channel; the message names it.
        """
        images = torch.empty(len(indices), *self.image_shape, dtype=torch.uint8)
        for row, index in enumerate(indices.tolist()):
            file = self.folder / self.names[index]
            with reading(file):
                images[row] = self._decode(file)
        return images

    def _decode(self, file: Path) -> Tensor:
        from PIL import Image, ImageOps

        try:
            with Image.open(file) as picture:
                if picture.mode[0] in "IF":
                    raise ValueError(f"its pixels, of mode {picture.mode}, are not bytes")
                upright = ImageOps.exif_transpose(picture).convert(MODES[self.channels])
        except SyntaxError as error:  # which is what Pillow raises for some broken PNG files
            raise ValueError(str(error)) from error
        square = centred_square(upright, self.crop)
        small = square.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(small)).reshape(self.size, self.size, -1).permute(2, 0, 1)


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
