"""The total correlation by the density-ratio trick: from a discriminator between two sets of codes.

Reference:
    Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, section 3.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Codes = Float[Tensor, "batch latent_dim"]
Discriminator = Callable[[Codes], Float[Tensor, "batch 2"]]

JOINT, PERMUTED = 0, 1  # the discriminator's two classes, in the order of its logits


def permute_dims(
    z: Codes, generator: torch.Generator | None = None, sizes: Sequence[int] | None = None
) -> Codes:
    """Shuffle each dimension over the batch, independently of the others (Algorithm 1).

    The result has the batch's marginals, and close to none of its dependence: it stands for a
    sample of Π_j q(z_j), but two dimensions still come from one image in 1 of ``batch`` rows.

    Args:
        z: codes.
        generator: source of the permutations; PyTorch's global one if None.
        sizes: how many columns each dimension has, such as a one-hot block for a categorical one,
            which stays together (:func:`disvae.divergence.sizes_of`); 1 each if None.

    Raises:
        ValueError: fewer than 2 codes, which cannot be permuted; or sizes whose sum is not the
            number of columns.
    """
    if len(z) < 2:
        raise ValueError(f"permuting dimensions needs a batch of at least 2 codes, got {len(z)}")
    sizes = [1] * z.shape[1] if sizes is None else sizes
    if sum(sizes) != z.shape[1]:
        raise ValueError(f"codes of {z.shape[1]} columns cannot have dimensions of {sizes} columns")
    keys = torch.rand(len(z), len(sizes), device=z.device, generator=generator)
    order = keys.argsort(0)
    if len(sizes) < z.shape[1]:
        columns = zip(order.split(1, dim=1), sizes, strict=True)
        order = torch.cat([column.expand(-1, size) for column, size in columns], dim=1)
    return z.gather(0, order)


def density_ratio(discriminator: Discriminator, z: Codes) -> Float[Tensor, ""]:
    """TC(z) ≈ mean of log D(z) - log(1 - D(z)), in nats: the difference of the two logits.

    Differentiable with respect to ``z`` and to the discriminator.

    Args:
        discriminator: gives the logits of the classes "joint" and "permuted".
        z: codes drawn from the aggregate posterior.
    """
    logits = discriminator(z).to(z.dtype)
    return (logits[:, JOINT] - logits[:, PERMUTED]).mean()


def discriminator_loss(
    discriminator: Discriminator,
    joint: Codes,
    permuted: Float[Tensor, "other_batch latent_dim"],
) -> Float[Tensor, ""]:
    """Cross-entropy of telling ``joint`` from ``permuted`` codes, in nats; log 2 is chance."""
    logits = discriminator(torch.cat([joint, permuted])).to(joint.dtype)
    labels = torch.full((len(logits),), JOINT, device=joint.device)
    labels[len(joint) :] = PERMUTED
    return F.cross_entropy(logits, labels)
