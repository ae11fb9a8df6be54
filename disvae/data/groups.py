"""Images that have something in common: which they are, and draws among them."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.array import ImageArray
from disvae.data.dataset import FactorDataset, ImageDataset


class Groups:
    """The images of a data set by a key, such as a label or the values of some factors.

    Any image is drawn from its group in a time that does not depend on the group's size.

    Args:
        keys: one integer per image; images of the same key are a group.

    Example:
        >>> groups = Groups(torch.tensor([7, 3, 7, 7]))
        >>> groups.n_groups, groups.members(0).tolist()
        (2, [0, 2, 3])
    """

    def __init__(self, keys: Int[Tensor, " n"]) -> None:
        values, group, sizes = keys.unique(return_inverse=True, return_counts=True)
        self.n_images = len(keys)
        self._order = group.argsort(stable=True)  # images, group after group
        self._place = torch.empty_like(self._order)
        self._place[self._order] = torch.arange(len(keys))
        self._start = (sizes.cumsum(0) - sizes)[group]
        self._size = sizes[group]
        self._n_groups = len(values)

    @property
    def n_groups(self) -> int:
        """How many different keys there are."""
        return self._n_groups

    def members(self, image: int) -> Int[Tensor, " size"]:
        """All images of the group of one image, in their order."""
        start, size = int(self._start[image]), int(self._size[image])
        return self._order[start : start + size]

    def draw(
        self, images: Int[Tensor, " n"], size: int, generator: torch.Generator | None = None
    ) -> Int[Tensor, "n size"]:
        """Draw images of the same group for each image, uniformly and with replacement.

        Args:
            images: whose groups.
            size: how many to draw for each.
            generator: source of the draws; PyTorch's global one if None.
        """
        sizes = self._size[images, None]
        offset = _below(sizes.expand(-1, size), generator)
        return self._order[self._start[images, None] + offset]

    def draw_other(
        self, images: Int[Tensor, " n"], generator: torch.Generator | None = None
    ) -> Int[Tensor, " n"]:
        """Draw one image of the same group for each image, uniformly over the others of it.

        Raises:
            ValueError: an image is alone in its group.
        """
        sizes = self._size[images]
        if int(sizes.min()) < 2:
            alone = int(images[sizes.argmin()])
            raise ValueError(f"image {alone} shares what is asked for with no other image")
        place = self._place[images] - self._start[images]
        place = (place + 1 + _below(sizes - 1, generator)) % sizes
        return self._order[self._start[images] + place]

    def draw_outside(
        self, images: Int[Tensor, " n"], generator: torch.Generator | None = None
    ) -> Int[Tensor, " n"]:
        """Draw one image for each image, uniformly over those of all other groups.

        Raises:
            ValueError: there is only one group.
        """
        if self.n_groups < 2:
            raise ValueError("all images share what is asked for: there is none that does not")
        sizes = self._size[images]
        place = self._start[images] + sizes + _below(self.n_images - sizes, generator)
        return self._order[place % self.n_images]


def groups_by_factors(dataset: FactorDataset, names: Sequence[str]) -> Groups:
    """The images of a data set by the values of some factors; all of them together for no name.

    Raises:
        ValueError: an unknown factor.
    """
    factors = dataset.factors(torch.arange(len(dataset)))
    key = torch.zeros(len(dataset), dtype=torch.int64)
    for name in names:
        column = dataset.space.position(name)
        key = key * dataset.space.sizes[column] + factors[:, column]
    return Groups(key)


def groups_by_label(dataset: ImageDataset) -> Groups:
    """The images of a data set by their label.

    Raises:
        ValueError: an image has no label, or several.
    """
    if isinstance(dataset, ImageArray) and not isinstance(dataset, FactorDataset):
        table = dataset.labels(torch.arange(len(dataset)))
    else:
        table = torch.stack([dataset.targets(i) for i in range(len(dataset))])
    table = table.reshape(len(dataset), -1)
    if table.shape[1] != 1 or table.is_floating_point():
        raise ValueError(
            f"expected one integer label for each image, got {table.shape[1]} of {table.dtype}: "
            "take a data set with one label, or groups by factors"
        )
    return Groups(table[:, 0].long())


def _below(bounds: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniform integers from 0 to below each bound, of which none exceeds 2^53."""
    uniform = torch.rand(bounds.shape, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
