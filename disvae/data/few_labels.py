"""Batches of images, and beside each some of the few images whose factors are known."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.data.dataset import FactorDataset
from disvae.data.pairs import Indices, TupleSource


class FewLabels(TupleSource):
    """A batch of images, a batch of labelled ones, and their factors, for few labels.

    The labelled images are a part of the data set, and among the other images too. Each batch draws
    as many of them as it has images, with replacement. Their factors are scaled to [0, 1]: an index
    over the largest.

    Args:
        dataset: images with factors, of which only those of the labelled images are looked at.
        batch_size: images per batch, and labelled ones.
        n_labels: how many images are labelled; the paper has 100 and 1,000.
        labels_seed: which images these are.
        seed: the order of the images, and which labelled ones come with them.
        device: where the batches are wanted.

    Raises:
        ValueError: ``n_labels`` is not from 1 to the number of images.

    Reference:
        Disentangling Factors of Variation Using Few Labels, Locatello et al. 2020,
        https://arxiv.org/abs/1905.01258

    Example:
        >>> from disvae.data import Sprites
        >>> x, labelled, factors = FewLabels(Sprites(), batch_size=8, n_labels=100).batch(0)
        >>> x.shape == labelled.shape, factors.shape
        (True, torch.Size([8, 5]))
    """

    def __init__(
        self,
        dataset: FactorDataset,
        batch_size: int,
        n_labels: int = 1000,
        labels_seed: int = 0,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        if not isinstance(dataset, FactorDataset):
            raise ValueError(f"{type(dataset).__name__} has no factors to label its images with")
        if not 1 <= n_labels <= len(dataset):
            raise ValueError(
                f"n_labels must be from 1 to {len(dataset)}, the number of images, got {n_labels}"
            )
        generator = torch.Generator().manual_seed(labels_seed)
        self.labelled = torch.randperm(len(dataset), generator=generator)[:n_labels]
        self._largest = torch.tensor(dataset.space.sizes) - 1

    def batch(self, step: int) -> tuple[Tensor, ...]:
        """The images of one step, the labelled images, and the factors of these, in [0, 1]."""
        _, labelled = self.indices(step)
        x, y = super().batch(step)
        return x, y, self.targets(labelled).to(x.device)

    def targets(self, indices: Indices) -> Float[Tensor, "n n_factors"]:
        """The factors of some images, each scaled to [0, 1]; a factor of one value is 0."""
        dataset: Any = self.dataset
        return dataset.factors(indices) / self._largest.clamp(min=1)

    def _partners(self, anchors: Indices, generator: torch.Generator) -> tuple[Indices, ...]:
        chosen = torch.randint(len(self.labelled), (len(anchors),), generator=generator)
        return (self.labelled[chosen],)
