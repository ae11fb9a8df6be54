"""Batches as a pure function of the seed and the step."""

import copy
import operator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from disvae.data.dataset import ImageDataset, to_float


class BatchSource:
    """Endless shuffled batches of a data set, any of which can be asked for.

    The images come in one order after another, each a permutation of the whole data set drawn from
    the seed; batch ``step`` is a window of this sequence. Nothing depends on what was asked before,
    so that training that stopped goes on with the very batches that it would have seen.

    Args:
        dataset: where the images come from.
        batch_size: images per batch.
        seed: which order.
        device: where the batches are wanted. They travel there as bytes, and become floats there;
            images that are in memory already are held there altogether, and gathered there.

    Raises:
        ValueError: ``batch_size`` is less than 1, the seed is negative, or the data set is empty.

    Example:
        >>> from disvae.data import Sprites
        >>> BatchSource(Sprites(), batch_size=64).batch(0).shape
        torch.Size([64, 1, 64, 64])
    """

    def __init__(
        self,
        dataset: ImageDataset,
        batch_size: int,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch_size < 1 or seed < 0:
            raise ValueError(f"expected batch_size >= 1 and seed >= 0, got {batch_size} and {seed}")
        if len(dataset) == 0:
            raise ValueError("the data set holds no images")
        self.dataset = dataset
        self.batch_size = batch_size
        self.seed = seed
        self.device = torch.device(device)
        self._pixels = dataset.pixels.to(self.device) if dataset.pixels else None
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def reordered(self, batch_size: int, seed: int) -> "BatchSource":
        """Batches of the same images in another order; a table on a device is shared."""
        other = copy.copy(self)
        other.batch_size, other.seed, other._epoch = batch_size, seed, -1
        return other

    def batch(self, step: int) -> Float[Tensor, "batch channels height width"]:
        """The images of one step, float32 in [0, 1].

        Raises:
            ValueError: ``step`` is negative.
            TypeError: ``step`` is not an integer.
        """
        return self.gather(self._window(step))

    def gather(
        self, indices: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Some images, float32 in [0, 1], on the source's device."""
        if self._pixels is not None:
            return self._pixels.floats(indices)
        raw = self.dataset.images(indices).to(self.device)
        return to_float(raw, self.dataset.max_value)

    def indices(self, step: int) -> Int[Tensor, " batch"]:
        """Which images of the data set make up the batch of ``step``."""
        return self._window(step).cpu()

    def _window(self, step: int) -> Int[Tensor, " batch"]:
        """The same, on the device of the table, where no batch has to send them."""
        step = operator.index(step)
        if step < 0:
            raise ValueError(f"steps count from 0, got {step}")
        length = len(self.dataset)
        position, end = step * self.batch_size, (step + 1) * self.batch_size
        parts = []
        while position < end:
            epoch, offset = divmod(position, length)
            part = self._permutation(epoch)[offset : offset + end - position]
            parts.append(part)
            position += len(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _permutation(self, epoch: int) -> Int[Tensor, " images"]:
        if epoch != self._epoch:
            seed = np.random.SeedSequence([self.seed, epoch]).generate_state(1, np.uint64)[0]
            generator = torch.Generator().manual_seed(int(seed) % 2**63)
            order = torch.randperm(len(self.dataset), generator=generator)
            self._order = order.to(self.device) if self._pixels is not None else order
            self._epoch = epoch
        return self._order
