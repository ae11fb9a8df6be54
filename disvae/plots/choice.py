"""Which images of a data set a picture shows."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disvae.data import ImageDataset


def choose_images(
    data: ImageDataset, n: int, images: Sequence[int] = (), seed: int = 0
) -> Int[Tensor, " n"]:
    """The indices of some images: those chosen come first, others drawn with the seed follow.

    The same seed draws the same images whatever their number, so that pictures of several kinds
    show the same ones.

    Args:
        data: the data set.
        n: number of images; of more chosen ones, the first.
        images: indices of the chosen ones.
        seed: of the others.

    Raises:
        ValueError: an index that the data does not have, or more images than it has.

    Example:
        >>> from disvae.data import Sprites
        >>> choose_images(Sprites(), 3, images=[92595, 7])[:2].tolist()
        [92595, 7]
    """
    if n < 1:
        raise ValueError(f"expected at least 1 image, got {n}")
    wrong = [index for index in images if not 0 <= index < len(data)]
    if wrong:
        raise ValueError(f"images must be from 0 to {len(data) - 1}, got {wrong[0]}")
    if n > len(data):
        raise ValueError(f"{n} images do not fit a data set of {len(data)}: ask for fewer")
    chosen = torch.tensor(list(images)[:n], dtype=torch.int64)
    shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    others = shuffled[: n + len(chosen)]
    return torch.cat([chosen, others[~torch.isin(others, chosen)]])[:n]


def load_chosen(
    data: ImageDataset, n: int, images: Sequence[int], seed: int
) -> Float[Tensor, "n channels height width"]:
    """The images that :func:`choose_images` chooses, in [0, 1]."""
    return data.floats(choose_images(data, n, images, seed))


def starting_images(
    data: ImageDataset, posterior: bool, images: Sequence[int], n: int, seed: int
) -> Float[Tensor, "n channels height width"] | None:
    """The images that traversals start from, or None for the prior."""
    return load_chosen(data, n, images, seed) if posterior or images else None
