"""Images as the rows of one table, in bytes or in bits, from which batches are gathered."""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

Images = UInt8[Tensor, "n channels height width"]


@dataclass(frozen=True)
class Pixels:
    """A table of images, in memory, mapped from a file, or on a device.

    Attributes:
        rows: (n, bytes): a byte a pixel, or a bit.
        image_shape: (channels, height, width).
        max_value: the byte that stands for 1.0.
        packed: whether a pixel is a bit, the first in the highest bit of the first byte.
    """

    rows: UInt8[Tensor, "n bytes"]
    image_shape: tuple[int, int, int]
    max_value: int
    packed: bool

    def __len__(self) -> int:
        return len(self.rows)

    def bytes(self, indices: Int[Tensor, " n"]) -> Images:
        """Some images as bytes, on the device of the table."""
        rows = self.rows.index_select(0, indices.to(self.rows.device))
        if self.packed:
            rows = _unpack(rows, prod(self.image_shape))
        return rows.unflatten(1, self.image_shape)

    def floats(self, indices: Int[Tensor, " n"]) -> Float[Tensor, "n channels height width"]:
        """Some images as float32 in [0, 1], on the device of the table."""
        return to_float(self.bytes(indices), self.max_value)

    def to(self, device: torch.device | str) -> "Pixels":
        """The same images on another device."""
        return replace(self, rows=self.rows.to(device))


def to_float(raw: Images, max_value: int) -> Float[Tensor, "n channels height width"]:
    """Bytes as float32 in [0, 1]."""
    return raw.float() if max_value == 1 else raw.float() / max_value


def _unpack(rows: UInt8[Tensor, "n bytes"], n_pixels: int) -> UInt8[Tensor, "n pixels"]:
    if rows.device.type == "cpu":
        return torch.from_numpy(np.unpackbits(rows.numpy(), axis=1, count=n_pixels))
    shifts = torch.arange(7, -1, -1, dtype=torch.uint8, device=rows.device)
    return ((rows[:, :, None] >> shifts) & 1).flatten(1)[:, :n_pixels]
