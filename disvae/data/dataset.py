"""What a data set is here: raw bytes by index, with factors or labels where they are known."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disvae.data.factors import FactorSpace
from disvae.data.pixels import Images, Pixels, to_float
from disvae.spec import Describable

__all__ = ["FactorDataset", "ImageDataset", "Images", "to_float"]


class ImageDataset(Describable, ABC):
    """Images by index, as the bytes that they are stored in.

    Attributes:
        image_shape: (channels, height, width).
        max_value: the byte that stands for 1.0: 1 for binary images, 255 for others.
        pixels: the table that all images are gathered from, or None if each is drawn or read when
            it is asked for.
    """

    image_shape: tuple[int, int, int]
    max_value: int
    pixels: Pixels | None = None

    @abstractmethod
    def __len__(self) -> int:
        """Number of images."""

    @abstractmethod
    def images(self, indices: object) -> Images:
        """The images of some indices, as raw bytes of 0 to ``max_value``."""

    def floats(self, indices: object) -> Float[Tensor, "n channels height width"]:
        """The images of some indices, float32 in [0, 1]: what models and losses take."""
        return to_float(self.images(indices), self.max_value)

    def targets(self, index: int) -> Tensor:
        """The factors or labels of one image; empty if nothing is known of it."""
        return torch.empty(0, dtype=torch.int64)

    def __getitem__(self, index: int) -> tuple[Float[Tensor, "channels height width"], Tensor]:
        """One image, float32 in [0, 1], and its factors or labels."""
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} of a data set of {len(self)} images")
        return self.floats([index])[0], self.targets(index)


class FactorDataset(ImageDataset):
    """Images whose factors of variation are known.

    Attributes:
        space: the factors; not every combination of them need be among the images.
    """

    space: FactorSpace

    @abstractmethod
    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some images."""

    def targets(self, index: int) -> Int[Tensor, " n_factors"]:
        """The factors of one image."""
        return self.factors([index])[0]
