"""Images that are in memory already: a user's own, and the base of the readers of files."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, ImageDataset, Images
from disvae.data.factor_table import factor_table
from disvae.data.factors import as_indices
from disvae.data.pixels import Pixels
from disvae.images import looks_channels_last

Layout = Literal["channels first", "channels last"]


class ImageArray(ImageDataset):
    """A data set of images in memory, with labels or without.

    Args:
        images: uint8, (n, height, width) or (n, channels, height, width); a NumPy array or tensor.
        labels: one row per image, or None.
        max_value: the byte that stands for 1.0. If None: 1 where no byte is above 1, else 255.
        layout: "channels last" for images of shape (n, height, width, channels).

    Raises:
        ValueError: another type or shape, no images, images that look as if their channels were
            last, a byte above ``max_value``, or another number of labels.

    Example:
        >>> data = ImageArray(torch.zeros(10, 28, 28, dtype=torch.uint8), max_value=255)
        >>> len(data), data.image_shape
        (10, (1, 28, 28))
    """

    def __init__(
        self,
        images: object,
        labels: object | None = None,
        max_value: int | None = None,
        layout: Layout = "channels first",
    ) -> None:
        array = _as_images(images, layout)
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
        factors: a row per image, a column per factor: numbers, words, dates or truth values, in an
            array, a tensor, nested lists or a data frame. The data set numbers the values of each
            in their order, from 0 on; ``space.values`` keeps them.
        names: one name per factor; those of its columns if ``factors`` is a data frame.
        max_value: see :class:`ImageArray`.
        layout: see :class:`ImageArray`.

    Raises:
        ValueError: factors of another number than the images or names, or missing values; see
            :func:`disvae.data.factor_table.factor_table`.

    Example:
        >>> images = torch.zeros(3, 28, 28, dtype=torch.uint8)
        >>> data = FactorArray(images, [["cat"], ["dog"], ["cat"]], ("animal",))
        >>> data.factors([0, 1]).tolist(), data.space.value("animal", 1)
        ([[0], [1]], 'dog')
    """

    def __init__(
        self,
        images: object,
        factors: object,
        names: Sequence[str] | None = None,
        max_value: int | None = None,
        layout: Layout = "channels first",
    ) -> None:
        super().__init__(images, max_value=max_value, layout=layout)
        self._factors, self.space = factor_table(factors, names)
        if len(self._factors) != len(self):
            raise ValueError(f"{len(self)} images, but {len(self._factors)} rows of factors")

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices."""
        return self._factors[as_indices(indices, len(self))]

    def targets(self, index: int) -> Int[Tensor, " n_factors"]:
        """The factors of one image."""
        return self._factors[index]


def _as_images(images: object, layout: Layout) -> Images:
    if layout not in get_args(Layout):
        raise ValueError(f"layout must be one of {get_args(Layout)}, got {layout!r}")
    array = torch.as_tensor(images)
    if array.dim() == 3:
        array = array[:, None]
    elif array.dim() == 4 and layout == "channels last":
        array = array.permute(0, 3, 1, 2).contiguous()
    if array.dtype != torch.uint8 or array.dim() != 4 or array.numel() == 0:
        raise ValueError(
            "expected uint8 images of shape (n, height, width) or (n, channels, height, width), "
            f"got {array.dtype} of shape {tuple(array.shape)}"
        )
    if looks_channels_last(array.shape[1:]):
        raise ValueError(
            f"images of shape {tuple(array.shape)} would have {array.shape[1]} channels and be "
            f'{array.shape[3]} pixels wide: if their channels are last, say layout="channels last"'
        )
    return array
