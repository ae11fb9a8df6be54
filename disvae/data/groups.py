"""Images that have something in common: which they are, and draws among them."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.array import ImageArray
from disvae.data.dataset import FactorDataset, ImageDataset
from disvae.data.factors import FactorSpace


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
        self.n_groups = len(values)
        self._order = group.argsort(stable=True)  # images, group after group
        self._place = torch.empty_like(self._order)
        self._place[self._order] = torch.arange(len(keys))
        self._start = (sizes.cumsum(0) - sizes)[group]
        self._size = sizes[group]

    def members(self, image: int) -> Int[Tensor, " size"]:
        """All images of the group of one image, in their order."""
        start, size = (int(x) for x in self._group(torch.tensor([image])))
        return self._images(torch.arange(start, start + size))

    def draw(
        self, images: Int[Tensor, " n"], size: int, generator: torch.Generator | None = None
    ) -> Int[Tensor, "n size"]:
        """Draw images of the same group for each image, uniformly and with replacement.

        Args:
            images: whose groups.
            size: how many to draw for each.
            generator: source of the draws; PyTorch's global one if None.
        """
        start, sizes = self._group(images)
        offset = _below(sizes[:, None].expand(-1, size), generator)
        return self._images((start[:, None] + offset).flatten()).view(-1, size)

    def draw_other(
        self, images: Int[Tensor, " n"], generator: torch.Generator | None = None
    ) -> Int[Tensor, " n"]:
        """Draw one image of the same group for each image, uniformly over the others of it.

        Raises:
            ValueError: an image is alone in its group.
        """
        start, sizes = self._group(images)
        if int(sizes.min()) < 2:
            alone = int(images[sizes.argmin()])
            raise ValueError(f"image {alone} shares what is asked for with no other image")
        place = self._places(images) - start
        place = (place + 1 + _below(sizes - 1, generator)) % sizes
        return self._images(start + place)

    def draw_outside(
        self, images: Int[Tensor, " n"], generator: torch.Generator | None = None
    ) -> Int[Tensor, " n"]:
        """Draw one image for each image, uniformly over those of all other groups.

        Raises:
            ValueError: there is only one group.
        """
        if self.n_groups < 2:
            raise ValueError("all images share what is asked for: there is none that does not")
        start, sizes = self._group(images)
        place = start + sizes + _below(self.n_images - sizes, generator)
        return self._images(place % self.n_images)

    def alone(self) -> Int[Tensor, " n"]:
        """The images that are alone in their groups."""
        return (self._size == 1).nonzero()[:, 0]

    def _group(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Where the group of each image starts in the order of groups, and its size."""
        return self._start[images], self._size[images]

    def _places(self, images: Tensor) -> Tensor:
        """Where each image is in the order of groups."""
        return self._place[images]

    def _images(self, places: Tensor) -> Tensor:
        """The images at some places of the order of groups."""
        return self._order[places]


class GridGroups(Groups):
    """The images of a complete grid by the values of some factors, found without any table.

    Args:
        space: the factors; image i has those of index i.
        names: the factors that the images of a group share.

    Raises:
        ValueError: an unknown factor.
    """

    def __init__(self, space: FactorSpace, names: Sequence[str]) -> None:
        shared = [space.position(name) for name in dict.fromkeys(names)]
        free = [k for k in range(space.n_factors) if k not in shared]
        self._columns = torch.tensor([*shared, *free])
        self._space = space
        # The same grid with the shared factors slowest: a group is a run of it.
        self._turned = FactorSpace(
            tuple(space.names[k] for k in self._columns),
            tuple(space.sizes[k] for k in self._columns),
        )
        self.n_images = len(space)
        self._group_size = math.prod(space.sizes[k] for k in free)
        self.n_groups = self.n_images // self._group_size

    def alone(self) -> Int[Tensor, " n"]:
        """The images that are alone in their groups: all or none."""
        return torch.arange(self.n_images if self._group_size == 1 else 0)

    def _group(self, images: Tensor) -> tuple[Tensor, Tensor]:
        size = torch.full_like(images, self._group_size)
        return self._places(images) // size * size, size

    def _places(self, images: Tensor) -> Tensor:
        return self._turned.indices(self._space.factors(images)[:, self._columns])

    def _images(self, places: Tensor) -> Tensor:
        return self._space.indices(self._turned.factors(places)[:, self._columns.argsort()])


Grouping = Callable[[Sequence[str]], Groups]


def groups_by_factors(dataset: FactorDataset, names: Sequence[str]) -> Groups:
    """The images of a data set by the values of some factors; all of them together for no name.

    Raises:
        ValueError: an unknown factor.
    """
    return grouping(dataset)(names)


def grouping(dataset: FactorDataset) -> Grouping:
    """What gives the groups of a data set by the names of factors; for several such groups."""
    space, factors = dataset.space, dataset.factors(torch.arange(len(dataset)))
    if len(dataset) == len(space) and torch.equal(factors, space.factors(torch.arange(len(space)))):
        return partial(GridGroups, space)
    return partial(_groups_by_table, space, factors)  # a function of its own can be pickled


def _groups_by_table(
    space: FactorSpace, factors: Int[Tensor, "n n_factors"], names: Sequence[str]
) -> Groups:
    key = torch.zeros(len(factors), dtype=torch.int64)
    for column in (space.position(name) for name in names):
        key = key * space.sizes[column] + factors[:, column]
    return Groups(key)


def groups_by_label(dataset: ImageDataset) -> Groups:
    """The images of a data set by their label.

    Raises:
        ValueError: an image has no label, or several.
    """
    return Groups(labels_of(dataset, torch.arange(len(dataset))))


def labels_of(dataset: ImageDataset, indices: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The label of each of some images.

    Args:
        dataset: of images with one label each.
        indices: which of them, int64.

    Raises:
        ValueError: an image has no label, or several.
    """
    if isinstance(dataset, ImageArray) and not isinstance(dataset, FactorDataset):
        table = dataset.labels(indices)
    else:
        table = torch.stack([dataset.targets(int(i)) for i in indices])
    table = table.reshape(len(indices), -1)
    if table.shape[1] != 1 or table.is_floating_point():
        raise ValueError(
            f"expected one integer label for each image, got {table.shape[1]} of {table.dtype}: "
            "take a data set with one label, or groups by factors"
        )
    return table[:, 0].long()


def _below(bounds: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniform integers from 0 to below each bound, of which none exceeds 2^53."""
    uniform = torch.rand(bounds.shape, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
