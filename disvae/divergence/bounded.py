"""Priors with bounds, such as InfoGAN's: what posteriors that overstep them say, in finite nats."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal, Uniform

from disvae.divergence.closed_form import kl_per_dimension
from disvae.divergence.mixed import IMPOSSIBLE, MixedDistribution
from disvae.divergence.parameters import continuous_part

NO_KL = "the prior has bounds, as an InfoGAN's has, beyond which every posterior reaches: its KL "
NO_KL += "is infinite"


def information_per_dimension(
    posterior: Distribution, prior: Distribution
) -> Float[Tensor, "batch latent_dim"]:
    """How much each posterior says of each dimension, in nats: what pictures sort and label by.

    It is KL(q(z_j|x) ‖ p(z_j)) if the prior is Gaussian. Of a prior with bounds some of a Gaussian
    posterior lies beyond, and the KL is infinite whatever the posterior says: there it is the KL to
    the Gaussian of the prior's mean and variance, which is 0 for a posterior that is as wide as the
    prior. Of a categorical dimension it is the KL to the average of all these posteriors, whose
    mean is the information that the category has of the image: a category that is the same for
    every image is certain, far from the prior, and says nothing.

    Args:
        posterior: q(z|x), batch shape (batch, latent_dim), of all images that matter.
        prior: p(z), batch shape (latent_dim,).

    Example:
        >>> from torch.distributions import Uniform
        >>> prior = Uniform(-torch.ones(2), torch.ones(2))
        >>> q = Normal(torch.zeros(1, 2), torch.tensor([[3**-0.5, 0.01]]))
        >>> information_per_dimension(q, prior)
        tensor([[0.0000, 3.5560]])
    """
    return kl_per_dimension(posterior, _reference(posterior, prior))


def has_bounds(prior: Distribution) -> bool:
    """Whether continuous codes of the prior end somewhere, so that no Gaussian's KL is finite.

    Args:
        prior: p(z), batch shape (latent_dim,).

    Example:
        >>> from torch.distributions import Uniform
        >>> has_bounds(Uniform(-torch.ones(2), torch.ones(2))), has_bounds(Normal(0.0, 1.0))
        (True, False)
    """
    continuous = continuous_part(prior)
    return isinstance(continuous, Uniform) and continuous.batch_shape.numel() > 0


def refuse_bounds(prior: Distribution) -> None:
    """Refuse to measure a KL that is infinite whatever the codes are.

    Args:
        prior: p(z), batch shape (latent_dim,).

    Raises:
        ValueError: it has bounds.
    """
    if has_bounds(prior):
        raise ValueError(NO_KL)


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


def _reference(posterior: Distribution, prior: Distribution) -> Any:
    """The Gaussian of the prior's mean and variance; of categories the posteriors' average."""
    continuous = continuous_part(prior)
    gaussian = Normal(continuous.mean, continuous.stddev, validate_args=False)
    if not isinstance(posterior, MixedDistribution):
        return gaussian
    average = [block.softmax(-1).mean(0).log().clamp(min=IMPOSSIBLE) for block in posterior.logits]
    return MixedDistribution(gaussian, average, posterior.temperature)
