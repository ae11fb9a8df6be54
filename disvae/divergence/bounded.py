"""Priors with bounds, such as InfoGAN's: what posteriors that overstep them say, in finite nats."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal

from disvae.divergence.closed_form import kl_per_dimension
from disvae.divergence.mixed import MixedDistribution
from disvae.divergence.parameters import continuous_part


def information_per_dimension(
    posterior: Distribution, prior: Distribution
) -> Float[Tensor, "batch latent_dim"]:
    """How much each posterior says of each dimension, in nats: what pictures sort and label by.

    It is KL(q(z_j|x) ‖ p(z_j)) if the prior is Gaussian or categorical. Of a prior with bounds some
    of a Gaussian posterior lies beyond, and the KL is infinite whatever the posterior says: there
    it is the KL to the Gaussian of the prior's mean and variance, which is 0 for a posterior that
    is as wide as the prior.

    Args:
        posterior: q(z|x), batch shape (batch, latent_dim).
        prior: p(z), batch shape (latent_dim,).

    Example:
        >>> from torch.distributions import Uniform
        >>> prior = Uniform(-torch.ones(2), torch.ones(2))
        >>> q = Normal(torch.zeros(1, 2), torch.tensor([[3**-0.5, 0.01]]))
        >>> information_per_dimension(q, prior)
        tensor([[0.0000, 3.5560]])
    """
    return kl_per_dimension(posterior, _gaussian(prior))


def within_bounds(prior: Distribution, values: Sequence[float]) -> list[float]:
    """Values of continuous dimensions on both sides of 0, drawn in to the prior's bounds.

    They keep their proportions, and stay as they are if the prior has no bounds.

    Args:
        prior: p(z), batch shape (latent_dim,), whose continuous dimensions are all alike.
        values: what a traversal would set a dimension to.

    Example:
        >>> from torch.distributions import Uniform
        >>> within_bounds(Uniform(-torch.ones(2), torch.ones(2)), [-2.0, 0.0, 2.0])
        [-1.0, 0.0, 1.0]
    """
    support = continuous_part(prior).support
    bounds = torch.as_tensor(getattr(support, "upper_bound", torch.inf)).flatten()
    bound = min([torch.inf, *bounds.tolist()])
    furthest = max((abs(value) for value in values), default=0.0)
    return [value * bound / furthest for value in values] if furthest > bound else list(values)


def _gaussian(prior: Distribution) -> Any:
    """The prior, its continuous part replaced by the Gaussian of its mean and variance."""
    continuous = continuous_part(prior)
    gaussian = Normal(continuous.mean, continuous.stddev, validate_args=False)
    if isinstance(prior, MixedDistribution):
        return MixedDistribution(gaussian, prior.logits, prior.temperature)
    return gaussian
