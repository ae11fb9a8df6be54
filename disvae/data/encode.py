"""Images of a data set as a model wants them, and their codes."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from disvae.data.dataset import ImageDataset
from disvae.divergence.parameters import join
from disvae.models import LatentModel


@torch.no_grad()
def encode_dataset(
    model: LatentModel, data: ImageDataset, indices: Int[Tensor, " n"], batch_size: int = 256
) -> Float[Tensor, "n latent_dim"]:
    """The representation (posterior mean) of some images of a data set.

    Args:
        model: the model, on whatever device and in whatever precision it is.
        data: the images.
        indices: which images, int64.
        batch_size: how many at once.

    Returns:
        The codes, on the CPU.
    """
    weight = next(model.parameters())
    batches = (data.floats(part).to(weight) for part in indices.split(batch_size))
    return torch.cat([model.represent(x).float().cpu() for x in batches])


@torch.no_grad()
def encode_posteriors(
    model: LatentModel,
    data: ImageDataset,
    indices: Int[Tensor, " n"] | None = None,
    batch_size: int = 256,
    progress: bool = True,
) -> Any:
    """The posteriors q(z|x) of some images of a data set.

    Args:
        model: the model, on whatever device; it is not switched to evaluation mode.
        data: the images.
        indices: which of them, int64; all if None.
        batch_size: how many at once.
        progress: show a progress bar.

    Returns:
        A distribution of shape (n, latent_dim), on the CPU: a Normal, of 8 bytes an image and
        dimension, or what the model has.

    Raises:
        ValueError: no images.
    """
    indices = torch.arange(len(data)) if indices is None else indices
    if len(indices) == 0:
        raise ValueError("there is nothing to encode: got no indices")
    weight = next(model.parameters())
    posteriors = []
    with tqdm(total=len(indices), unit="image", disable=not progress) as bar:
        for part in indices.split(batch_size):
            posteriors.append(join([model.encode(data.floats(part).to(weight))]))
            bar.update(len(part))
    return join(posteriors)
