"""The KL between a posterior and the prior, in closed form."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal, kl_divergence


def kl_per_dimension(
    posterior: Distribution, prior: Distribution
) -> Float[Tensor, "batch latent_dim"]:
    """KL(q(z_j|x) ‖ p(z_j)) of each image and each dimension, in nats.

    Its sum over dimensions and mean over the batch is the KL term of the ELBO.

    Args:
        posterior: q(z|x), batch shape (batch, latent_dim).
        prior: p(z), batch shape (latent_dim,).
    """
    return kl_divergence(posterior, prior)


def standard_normal(like: Tensor) -> Normal:
    """The prior N(0, I) over the last dimension of ``like``, on its device and in its type."""
    zeros = torch.zeros(like.shape[-1], device=like.device, dtype=like.dtype)
    return Normal(zeros, torch.ones_like(zeros), validate_args=False)
