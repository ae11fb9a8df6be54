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
        return self._images.index_select(0, as_indices(indices, len(self)))

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
    """The images that share the values of some factors; the other factors still vary.

    The images keep their order and stay where they are: nothing is copied. A slice of a complete
    grid is a complete grid.

    Args:
        dataset: a data set with factors.
        fixed: the value of each fixed factor, by name.

    Raises:
        ValueError: an unknown factor or value, every factor fixed, or no image with these values.

    Example:
        >>> from disvae.data import Sprites
        >>> hearts = Slice(Sprites(), {"shape": 2, "scale": 5})
        >>> len(hearts), hearts.space.names
        (40960, ('orientation', 'position_x', 'position_y'))
    """

    def __init__(self, dataset: FactorDataset, fixed: dict[str, int]) -> None:
        space = dataset.space
        positions = {space.position(name, value): value for name, value in fixed.items()}
        self._free = [k for k in range(space.n_factors) if k not in positions]
        if not self._free:
            raise ValueError(f"every factor is fixed: {fixed} leaves none to vary")
        self.space = FactorSpace(
            tuple(space.names[k] for k in self._free), tuple(space.sizes[k] for k in self._free)
        )
        factors = dataset.factors(torch.arange(len(dataset)))
        wanted = torch.tensor(list(positions.values()))
        self.chosen = (factors[:, list(positions)] == wanted).all(1).nonzero()[:, 0]
        if len(self.chosen) == 0:
            raise ValueError(f"no image of the data set has the factors {fixed}")
        self.dataset = dataset
        self.image_shape = dataset.image_shape
        self.max_value = dataset.max_value

    def __len__(self) -> int:
        return len(self.chosen)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The free factors of some indices of the slice."""
        chosen = self.chosen[as_indices(indices, len(self))]
        return self.dataset.factors(chosen)[:, self._free]

    def images(self, indices: object) -> Images:
        """The images of some indices of the slice."""
        return self.dataset.images(self.chosen[as_indices(indices, len(self))])
