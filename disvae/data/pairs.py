"""Batches of pairs and triplets of images that share something: for weak supervision.

Like :class:`disvae.data.BatchSource` each gives any batch as a pure function of the seed and the
step, and goes to the trainer as its data.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import combinations, compress
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disvae.data.batches import BatchSource
from disvae.data.dataset import FactorDataset, ImageDataset
from disvae.data.groups import Groups, grouping, groups_by_factors, groups_by_label
from disvae.spec import Describable

Images = Float[Tensor, "batch channels height width"]
Indices = Int[Tensor, " batch"]


class TupleSource(Describable, ABC):
    """Tuples of batches: a shuffled order of the images, and partners drawn for each.

    A :class:`disvae.Trainer` reads it with its own batch size, seed and device.

    Args:
        dataset: where the images come from.
        batch_size: tuples per batch.
        seed: which order, and which partners.
        device: where the batches are wanted.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        batch_size: int,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.dataset = dataset
        self._source = BatchSource(dataset, batch_size, seed, device)

    def __len__(self) -> int:
        return len(self.dataset)

    def reordered(
        self, batch_size: int, seed: int, device: torch.device | str | None = None
    ) -> "TupleSource":
        """The same kind of tuples of the same images, drawn anew.

        Args:
            batch_size: tuples per batch.
            seed: which order, and which partners.
            device: where the batches are wanted; where they are if None, a table there is shared.
        """
        other = copy.copy(self)
        if device is None:
            other._source = self._source.reordered(batch_size, seed)
        else:
            other._source = BatchSource(self.dataset, batch_size, seed, device)
        return other

    def batch(self, step: int) -> tuple[Images, ...]:
        """The images of one step, float32 in [0, 1]: first the anchors, then their partners."""
        return tuple(self._source.gather(indices) for indices in self.indices(step))

    def indices(self, step: int) -> tuple[Indices, ...]:
        """Which images of the data set make up the batch of ``step``."""
        anchors = self._source.indices(step)
        return (anchors, *self._partners(anchors, self._generator(step)))

    @abstractmethod
    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        """Draw the partners of each anchor."""

    def _generator(self, step: int) -> torch.Generator:
        # The order of the anchors has the seeds [seed, epoch]; this is none of them.
        seed = np.random.SeedSequence([self._source.seed, step, 1]).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(seed) % 2**63)


class FactorPairs(TupleSource):
    """Pairs of images that share some factors, the same ones in every pair.

    The second image is drawn uniformly from all others with the first one's values of the shared
    factors, so that the others are as they come; over a complete grid they are independent.

    Args:
        dataset: images with factors.
        batch_size: pairs per batch.
        shared: the names of the factors that both images share.
        seed: which order, and which partners.
        device: where the batches are wanted.

    Raises:
        ValueError: an unknown factor, or an image that shares its values with no other.

    Example:
        >>> from disvae.data import Sprites
        >>> source = FactorPairs(Sprites(), batch_size=8, shared=("shape", "scale"))
        >>> first, second = source.batch(0)
    """

    def __init__(
        self,
        dataset: FactorDataset,
        batch_size: int,
        shared: Sequence[str],
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        self._groups = _with_others(groups_by_factors(dataset, shared), ", ".join(shared))

    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        return (self._groups.draw_other(anchors, generator),)


class ChangedFactorPairs(TupleSource):
    """Pairs of images that differ in some factors at most, other ones in every pair.

    For each pair the factors that may change are drawn, uniformly over the sets of that size; the
    second image is drawn uniformly from all others that share the rest. Which factors these were
    is :meth:`changed`, unknown to the methods that these pairs are for.

    Args:
        dataset: images with factors.
        batch_size: pairs per batch.
        n_changed: how many factors may change; if None, drawn for each pair, from 1 to all but one.
        seed: which order, which factors and which partners.
        device: where the batches are wanted.

    Raises:
        ValueError: ``n_changed`` is not from 1 to the number of factors, or an image shares the
            rest of its factors with no other, as happens where combinations are missing.

    Reference:
        Weakly-Supervised Disentanglement Without Compromises, Locatello et al. 2020,
        https://arxiv.org/abs/2002.02886, section 5.

    Example:
        >>> from disvae.data import Sprites
        >>> first, second = ChangedFactorPairs(Sprites(), batch_size=8, n_changed=1).batch(0)
    """

    def __init__(
        self,
        dataset: FactorDataset,
        batch_size: int,
        n_changed: int | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        self._names = dataset.space.names
        if n_changed is not None and not 1 <= n_changed <= len(self._names):
            raise ValueError(
                f"n_changed must be from 1 to {len(self._names)}, the number of factors, or None "
                f"(null), got {n_changed}"
            )
        if n_changed is None and len(self._names) < 2:
            raise ValueError(
                "one factor alone leaves none to share: give n_changed 1 (--source.n_changed 1)"
            )
        self._n_changed = n_changed
        self._grouping = grouping(dataset)
        self._groups: dict[tuple[str, ...], Groups] = {}
        # Who has a partner with few changed factors has one with more.
        for shared in combinations(self._names, len(self._names) - (n_changed or 1)):
            _with_others(self._sharing(shared), ", ".join(shared))

    def changed(self, step: int) -> Bool[Tensor, "batch n_factors"]:
        """Which factors may differ in each pair of ``step``."""
        return self._changed(len(self._source.indices(step)), self._generator(step))

    def _changed(self, n: int, generator: torch.Generator) -> Bool[Tensor, "batch n_factors"]:
        k = len(self._names)
        if self._n_changed is None:
            numbers = torch.randint(1, k, (n, 1), generator=generator)
        else:
            numbers = torch.full((n, 1), self._n_changed)
        rank = torch.rand(n, k, generator=generator).argsort(1).argsort(1)
        return rank < numbers

    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        changed = self._changed(len(anchors), generator)
        partners = torch.empty_like(anchors)
        for pattern in changed.unique(dim=0):  # at most 2^factors of them, however large the batch
            rows = (changed == pattern).all(1)
            shared = tuple(compress(self._names, (~pattern).tolist()))
            partners[rows] = self._sharing(shared).draw_other(anchors[rows], generator)
        return (partners,)

    def _sharing(self, shared: tuple[str, ...]) -> Groups:
        if shared not in self._groups:
            self._groups[shared] = self._grouping(shared)
        return self._groups[shared]


class LabelPairs(TupleSource):
    """Pairs of different images with the same label.

    Args:
        dataset: images with one label each.
        batch_size: pairs per batch.
        seed: which order, and which partners.
        device: where the batches are wanted.

    Raises:
        ValueError: images without one label each, or an image whose label no other has.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        batch_size: int,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        self._groups = _with_others(groups_by_label(dataset), "its label")

    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        return (self._groups.draw_other(anchors, generator),)


class Triplets(TupleSource):
    """Triplets: an image, another that shares its label or some factors, and one that does not.

    The second is drawn uniformly from the others that share what is shared, the third from those
    that do not share all of it. They are for losses of one's own: those of this library learn from
    images that all share something.

    Args:
        dataset: images with factors, or with one label each.
        batch_size: triplets per batch.
        shared: the names of the factors; None for the label.
        seed: which order, and which partners.
        device: where the batches are wanted.

    Raises:
        ValueError: an unknown factor, images without one label each, or an image that shares with
            no other or with all.
    """

    def __init__(
        self,
        dataset: ImageDataset,
        batch_size: int,
        shared: Sequence[str] | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        self._groups = _with_others(_groups(dataset, shared), ", ".join(shared or ["its label"]))
        if self._groups.n_groups < 2:
            raise ValueError("all images share what is asked for: there is none that does not")

    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        positive = self._groups.draw_other(anchors, generator)
        return positive, self._groups.draw_outside(anchors, generator)


def _groups(dataset: Any, shared: Sequence[str] | None) -> Groups:
    if shared is None:
        return groups_by_label(dataset)
    if not isinstance(dataset, FactorDataset):
        raise ValueError(
            f"a {type(dataset).__name__} has no factors to share: leave out shared "
            "(--source.shared), which then is its label"
        )
    return groups_by_factors(dataset, shared)


def _with_others(groups: Groups, shared: str) -> Groups:
    """The groups, in none of which an image is alone."""
    alone = groups.alone()
    if len(alone):
        raise ValueError(
            f"{len(alone)} of {groups.n_images} images share {shared} with no other, the first is "
            f"image {int(alone[0])}: share less, or take a data set without them"
        )
    return groups
