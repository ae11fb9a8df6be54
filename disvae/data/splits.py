"""Disjoint parts of a data set: by chance, or by the values of its factors."""

from collections.abc import Mapping, Sequence

import torch

from disvae.data.dataset import FactorDataset, ImageDataset
from disvae.data.subset import FactorSubset, Subset


class Part(Subset):
    """One of the parts that a seed splits a data set into; nothing is copied.

    Args:
        dataset: what is split.
        fractions: the size of each part, as shares of the whole that add up to 1.
        index: which part.
        seed: which images go where.

    Raises:
        ValueError: fractions that are not positive or do not add up to 1, a part without images, or
            no such part.
    """

    def __init__(
        self, dataset: ImageDataset, fractions: Sequence[float], index: int, seed: int = 0
    ) -> None:
        if not fractions or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
            raise ValueError(f"expected positive fractions that add up to 1, got {fractions}")
        if not 0 <= index < len(fractions):
            raise ValueError(f"there are parts 0 to {len(fractions) - 1}, got {index}")
        shares = torch.tensor([0.0, *fractions], dtype=torch.float64).cumsum(0)
        edges = (shares * len(dataset)).round().long()
        edges[-1] = len(dataset)  # whatever is lost where fractions are rounded
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed))
        chosen = order[edges[index] : edges[index + 1]].sort().values
        if len(chosen) == 0:
            raise ValueError(f"part {index} of {len(dataset)} images by {fractions} has no image")
        super().__init__(dataset, chosen)


class FactorPart(Part, FactorSubset):
    """One of the parts of a data set with factors; see :class:`Part`.

    Its space is that of the data set, of which it holds only some combinations.
    """


def split(
    dataset: ImageDataset, fractions: Sequence[float] = (0.8, 0.1, 0.1), seed: int = 0
) -> tuple[Part, ...]:
    """Split a data set at random into disjoint parts, such as for training, validation and test.

    Args:
        dataset: what to split.
        fractions: the size of each part, as shares of the whole that add up to 1.
        seed: which images go where.

    Raises:
        ValueError: see :class:`Part`.

    Example:
        >>> from disvae.data import Sprites
        >>> train, validation, test = split(Sprites(), (0.8, 0.1, 0.1), seed=0)
        >>> len(train), len(validation), len(test)
        (589824, 73728, 73728)
    """
    if isinstance(dataset, FactorDataset):
        return tuple(FactorPart(dataset, fractions, i, seed) for i in range(len(fractions)))
    return tuple(Part(dataset, fractions, i, seed) for i in range(len(fractions)))


class Combinations(FactorSubset):
    """The images with some combinations of factors, or all but these; nothing is copied.

    Args:
        dataset: images with factors.
        values: for each factor named, the values that count. An image has the combination if every
            factor named has one of its values.
        held_out: True for the images that have it, False for all others.

    Raises:
        ValueError: an unknown factor or value, or no image left.
    """

    def __init__(
        self, dataset: FactorDataset, values: Mapping[str, Sequence[int]], held_out: bool
    ) -> None:
        factors = dataset.factors(torch.arange(len(dataset)))
        has = torch.ones(len(dataset), dtype=torch.bool)
        for name, wanted in values.items():
            columns = {dataset.space.position(name, value) for value in wanted}
            if not columns:
                raise ValueError(f"{name} has no value to hold out: give one at least")
            has &= torch.isin(factors[:, columns.pop()], torch.tensor(list(wanted)))
        chosen = (has == held_out).nonzero()[:, 0]
        if len(chosen) == 0:
            what = "has" if held_out else "is without"
            raise ValueError(f"no image {what} the combination {dict(values)}")
        super().__init__(dataset, chosen)


def hold_out(
    dataset: FactorDataset, values: Mapping[str, Sequence[int]]
) -> tuple[Combinations, Combinations]:
    """Hold out combinations of factors, to test on what was never seen together.

    Args:
        dataset: images with factors.
        values: for each factor named, the values that count; see :class:`Combinations`.

    Returns:
        The images without the combinations, to train on, and those with them.

    Raises:
        ValueError: see :class:`Combinations`.

    Example:
        >>> from disvae.data import Sprites
        >>> train, test = hold_out(Sprites(), {"shape": [2], "position_x": range(16, 32)})
        >>> len(train), len(test)
        (614400, 122880)
    """
    plain = {name: tuple(wanted) for name, wanted in values.items()}
    return Combinations(dataset, plain, held_out=False), Combinations(dataset, plain, held_out=True)
