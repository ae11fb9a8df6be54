"""Images of a data set as a model wants them, and their codes."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disvae.data import ImageDataset, to_float
from disvae.models import VAE


def load_images(
    data: ImageDataset, indices: Int[Tensor, " n"]
) -> Float[Tensor, "n channels height width"]:
    """Some images of a data set, as float32 in [0, 1].

    Args:
        data: a data set, for its ``images(indices)`` and ``max_value``.
        indices: which images, int64.
    """
    return to_float(data.images(indices), data.max_value)


@torch.no_grad()
def encode_dataset(
    model: VAE, data: ImageDataset, indices: Int[Tensor, " n"], batch_size: int = 256
) -> Float[Tensor, "n latent_dim"]:
    """The representation (posterior mean) of some images of a data set.

    Args:
        model: the model, on whatever device and in whatever precision it is.
        data: see :func:`load_images`.
        indices: which images, int64.
        batch_size: how many at once.

    Returns:
        The codes, on the CPU.
    """
    weight = next(model.parameters())
    batches = (load_images(data, part).to(weight) for part in indices.split(batch_size))
    return torch.cat([model.represent(x).float().cpu() for x in batches])
