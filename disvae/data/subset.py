"""Some images of a data set: by their indices, by chance, or with some factors fixed."""

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, ImageDataset, Images
from disvae.data.factors import as_indices
from disvae.data.pixels import Pixels


class Subset(ImageDataset):
    """Some images of a data set, in any order, some of them more than once; nothing is copied.

    Args:
        dataset: where they come from.
        chosen: their indices there, (n,).

    Attributes:
        chosen: the same, int64.

    Raises:
        ValueError: no index at all, or one that the data set does not have.

    Example:
        >>> from disvae.data import ImageArray
        >>> data = ImageArray(torch.arange(10).byte()[:, None, None], labels=torch.arange(10) % 3)
        >>> some = Subset(data, [4, 8, 4])
        >>> some.images([0, 1]).flatten().tolist(), some[1][1].item()
        ([4, 8], 2)
    """

    def __init__(self, dataset: ImageDataset, chosen: object) -> None:
        self.dataset = dataset
        self.chosen = as_indices(chosen, len(dataset))
        if len(self.chosen) == 0:
            raise ValueError("no image is chosen: give one index at least")
        self.image_shape, self.max_value = dataset.image_shape, dataset.max_value

    def __len__(self) -> int:
        return len(self.chosen)

    def images(self, indices: object) -> Images:
        """The images of some indices of the subset."""
        return self.dataset.images(self.chosen[as_indices(indices, len(self))])

    def targets(self, index: int) -> Tensor:
        """What the data set knows of one image."""
        return self.dataset.targets(int(self.chosen[index]))


class FactorSubset(Subset, FactorDataset):
    """Some images of a data set with factors; see :class:`Subset`.

    Its space is that of the data set, of which it need not hold all combinations.
    """

    def __init__(self, dataset: FactorDataset, chosen: object) -> None:
        super().__init__(dataset, chosen)
        self.space = dataset.space
        self._known = dataset

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices of the subset."""
        return self._known.factors(self.chosen[as_indices(indices, len(self))])

    def targets(self, index: int) -> Int[Tensor, " n_factors"]:
        """The factors of one image of the subset."""
        return self.factors([index])[0]


class RandomSubset(Subset):
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
        super().__init__(dataset, order[:n])
        rows = dataset.images(self.chosen).flatten(1)
        self.pixels: Pixels = Pixels(rows, self.image_shape, self.max_value, packed=False)

    def images(self, indices: object) -> Images:
        """The images of some indices of the subset."""
        return self.pixels.bytes(as_indices(indices, len(self)))


class RandomFactorSubset(RandomSubset, FactorSubset):
    """Some distinct images of a data set with factors; see :class:`RandomSubset`.

    Its space is that of the data set, of which it holds only some combinations.
    """


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


class Slice(FactorSubset):
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
        factors = dataset.factors(torch.arange(len(dataset)))
        wanted = torch.tensor(list(positions.values()))
        chosen = (factors[:, list(positions)] == wanted).all(1).nonzero()[:, 0]
        if len(chosen) == 0:
            raise ValueError(f"no image of the data set has the factors {fixed}")
        super().__init__(dataset, chosen)
        self.space = space.only(self._free)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The free factors of some indices of the slice."""
        return super().factors(indices)[:, self._free]
