"""The three summands of the KL term of the ELBO."""

import math
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal

Scalar = Float[Tensor, ""]


class KLDecomposition(NamedTuple):
    r"""KL(q(z|x) ‖ p(z)), averaged over the data, as a sum of three terms in nats per image.

    .. math:: E_x KL(q(z|x) \| p(z)) = I(x; z) + TC(z) + \sum_j KL(q(z_j) \| p(z_j))

    Each field is a 0-dimensional tensor.

    Attributes:
        mutual_information: I(x; z) = KL(q(z, x) ‖ q(z) p(x)).
        total_correlation: TC(z) = KL(q(z) ‖ Π_j q(z_j)).
        dimension_wise_kl: Σ_j KL(q(z_j) ‖ p(z_j)).

    Reference:
        Isolating Sources of Disentanglement in VAEs, Chen et al. 2018,
        https://arxiv.org/abs/1802.04942, equation 2.
    """

    mutual_information: Scalar
    total_correlation: Scalar
    dimension_wise_kl: Scalar

    @property
    def total(self) -> Scalar:
        """The sum of the three: a Monte Carlo estimate of the KL term at the codes used."""
        return self.mutual_information + self.total_correlation + self.dimension_wise_kl


def pairwise_log_density(
    posterior: Distribution, z: Float[Tensor, "codes columns"]
) -> Float[Tensor, "codes images latent_dim"]:
    """Entry (i, j, d): log q(z_i,d | x_j), of every code under every image's posterior.

    The same as ``log_prob``, for a Normal with a third of its passes over the largest tensor of
    all.
    """
    if not isinstance(posterior, Normal):
        return posterior.log_prob(z[:, None])
    deviation = (z[:, None] - posterior.loc) * posterior.scale.reciprocal()
    log_normalizer = posterior.scale.log() + 0.5 * math.log(2 * math.pi)
    return -0.5 * deviation.square() - log_normalizer


def at_codes(
    posterior: Distribution,
    z: Float[Tensor, "batch columns"],
    prior: Distribution,
    log_aggregate: Float[Tensor, " batch"],
    log_marginals: Float[Tensor, "batch latent_dim"],
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """The three terms at each code, from log q(z) and log q(z_j) there.

    Every estimator differs only in how it finds these two, so that whatever they are, the three
    terms telescope to log q(z|x) - log p(z).
    """
    log_posterior = posterior.log_prob(z).sum(-1)
    log_product = log_marginals.sum(-1)
    log_prior = prior.log_prob(z).sum(-1)
    return log_posterior - log_aggregate, log_aggregate - log_product, log_product - log_prior
