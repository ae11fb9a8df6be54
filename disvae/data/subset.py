"""Parts of a data set: a random part held in memory, and a slice with some factors fixed."""

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, ImageDataset, Images
from disvae.data.factors import FactorSpace, as_indices


class RandomSubset(ImageDataset):
    """Some distinct images of a data set, drawn with a seed and held in memory.

    Args:
        dataset: where they are drawn from.
        n: how many.
        seed: which.

    Raises:
        ValueError: ``n`` is not from 1 to the size of the data set.
    """

    def __init__(self, dataset: ImageDataset, n: int, seed: int = 0) -> None:
        if not 1 <= n <= len(dataset):
            raise ValueError(f"expected 1 to {len(dataset)} images, got n={n}")
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))
        self.dataset = dataset
        self.chosen = order[:n]
        self.image_shape = dataset.image_shape
        self.max_value = dataset.max_value
        self._images = dataset.images(self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def images(self, indices: object) -> Images:
        """The images of some indices of the subset."""
        return self._images[as_indices(indices, len(self))]

    def targets(self, index: int) -> Tensor:
        """What the data set knows of one image."""
        return self.dataset.targets(int(self.chosen[index]))


class RandomFactorSubset(RandomSubset, FactorDataset):
    """Some distinct images of a data set with factors; see :class:`RandomSubset`.

    Its space is that of the data set, of which it holds only some combinations.
    """

    def __init__(self, dataset: FactorDataset, n: int, seed: int = 0) -> None:
        super().__init__(dataset, n, seed)
        self.space = dataset.space
        self._factors = dataset.factors(self.chosen)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices of the subset."""
        return self._factors[as_indices(indices, len(self))]


def random_subset(dataset: ImageDataset, n: int, seed: int = 0) -> RandomSubset:
    """Draw ``n`` distinct images into memory, with their factors if they have any.

    Example:
        >>> from disvae.data import Sprites
        >>> subset = random_subset(Sprites(), 100, seed=0)
        >>> len(subset), subset.space.names[0]
        (100, 'shape')
    """
    if isinstance(dataset, FactorDataset):
        return RandomFactorSubset(dataset, n, seed)
    return RandomSubset(dataset, n, seed)


class Slice(FactorDataset):
    """The images of a complete grid that share the values of some factors; the rest still vary.

    Args:
        dataset: a data set with every combination of its factors, in the order of its space.
        fixed: the value of each fixed factor, by name.

    Raises:
        ValueError: an unknown factor or value, every factor fixed, or an incomplete grid.

    Example:
        >>> from disvae.data import Sprites
        >>> hearts = Slice(Sprites(), {"shape": 2, "scale": 5})
        >>> len(hearts), hearts.space.names
        (40960, ('orientation', 'position_x', 'position_y'))
    """

    def __init__(self, dataset: FactorDataset, fixed: dict[str, int]) -> None:
        space = dataset.space
        if len(dataset) != len(space):
            raise ValueError(
                f"a slice needs all {len(space)} combinations of the factors, but the data set has "
                f"{len(dataset)} images: slice first, then take a random subset"
            )
        positions = {space.position(name, value): value for name, value in fixed.items()}
        self._free = [k for k in range(len(space.names)) if k not in positions]
        self.space = FactorSpace(
            tuple(space.names[k] for k in self._free), tuple(space.sizes[k] for k in self._free)
        )
        self.dataset = dataset
        self.image_shape = dataset.image_shape
        self.max_value = dataset.max_value
        self._template = torch.tensor([positions.get(k, 0) for k in range(len(space.names))])

    def __len__(self) -> int:
        return len(self.space)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The free factors of some indices of the slice."""
        return self.space.factors(indices)

    def images(self, indices: object) -> Images:
        """The images of some indices of the slice."""
        factors = self.factors(indices)
        full = self._template.repeat(len(factors), 1)
        full[:, self._free] = factors
        return self.dataset.images(self.dataset.space.indices(full))
