"""Images that are in memory already: a user's own, and the base of the readers of files."""

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, ImageDataset, Images
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.pixels import Pixels


class ImageArray(ImageDataset):
    """A data set of images in memory, with labels or without.

    Args:
        images: uint8, (n, height, width) or (n, channels, height, width); a NumPy array or tensor.
        labels: one row per image, or None.
        max_value: the byte that stands for 1.0. If None: 1 where no byte is above 1, else 255.

    Raises:
        ValueError: another type or shape, no images, a byte above ``max_value``, or another number
            of labels.

    Example:
        >>> data = ImageArray(torch.zeros(10, 28, 28, dtype=torch.uint8), max_value=255)
        >>> len(data), data.image_shape
        (10, (1, 28, 28))
    """

    def __init__(
        self, images: object, labels: object | None = None, max_value: int | None = None
    ) -> None:
        array = _as_images(images)
        self._labels = None if labels is None else torch.as_tensor(labels)
        if self._labels is not None and len(self._labels) != len(array):
            raise ValueError(f"{len(array)} images, but {len(self._labels)} labels")
        channels, height, width = array.shape[1:]
        self.image_shape = (channels, height, width)
        largest = int(array.max())
        self.max_value = (1 if largest <= 1 else 255) if max_value is None else max_value
        if largest > self.max_value:
            raise ValueError(f"a byte of {largest} is above max_value={self.max_value}")
        self.pixels: Pixels = Pixels(
            array.flatten(1), self.image_shape, self.max_value, packed=False
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def images(self, indices: object) -> Images:
        """The images of some indices."""
        return self.pixels.bytes(as_indices(indices, len(self)))

    def labels(self, indices: object) -> Tensor:
        """The labels of some indices.

        Raises:
            ValueError: the data set has none.
        """
        if self._labels is None:
            raise ValueError("this data set has no labels")
        return self._labels[as_indices(indices, len(self))]

    def targets(self, index: int) -> Tensor:
        """The label of one image, or nothing."""
        return super().targets(index) if self._labels is None else self._labels[index]


class FactorArray(ImageArray, FactorDataset):
    """A data set of images in memory whose factors are known, all combinations of them or not.

    Args:
        images: see :class:`ImageArray`.
        factors: integers (n, n_factors), each from 0 on.
        names: one name per factor.
        max_value: see :class:`ImageArray`.

    Raises:
        ValueError: factors that are not non-negative integers, or of another number than the
            images or names.
    """

    def __init__(
        self,
        images: object,
        factors: object,
        names: tuple[str, ...],
        max_value: int | None = None,
    ) -> None:
        super().__init__(images, max_value=max_value)
        table = torch.as_tensor(factors)
        if table.shape != (len(self), len(names)) or table.is_floating_point() or table.min() < 0:
            raise ValueError(
                f"expected integer factors from 0 on, of shape {(len(self), len(names))}, got "
                f"{table.dtype} of shape {tuple(table.shape)}"
            )
        self._factors = table.long()
        sizes = tuple(int(largest) + 1 for largest in table.amax(0))
        self.space = FactorSpace(tuple(names), sizes)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices."""
        return self._factors[as_indices(indices, len(self))]

    def targets(self, index: int) -> Int[Tensor, " n_factors"]:
        """The factors of one image."""
        return self._factors[index]


def _as_images(images: object) -> Images:
    array = torch.as_tensor(images)
    if array.dim() == 3:
        array = array[:, None]
    if array.dtype != torch.uint8 or array.dim() != 4 or array.numel() == 0:
        raise ValueError(
            "expected uint8 images of shape (n, height, width) or (n, channels, height, width), "
            f"got {array.dtype} of shape {tuple(array.shape)}"
        )
    return array
