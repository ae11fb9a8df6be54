"""The two losses called β-VAE: a heavier KL, and a KL held at a capacity."""

from torch.distributions import Distribution, Normal

from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl
from disvae.schedules import Linear, Schedule, at_step


class BetaVAEHLoss(ELBOLoss):
    r"""β-VAE of Higgins et al.: the KL term weighs β, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \beta\, KL(q(z|x) \| p(z))

    All three terms of the KL are penalised alike, so that β > 1 also costs mutual information.
    Terms: ``objective, reconstruction, kl``. β = 1 is :class:`VAELoss`.

    Args:
        beta: weight of the KL; 4 is the usual one for dSprites.

    Reference:
        β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework,
        Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, BetaVAEHLoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> BetaVAEHLoss(beta=4.0)(model, x).loss.backward()
    """

    def __init__(self, beta: float | Schedule = 4.0) -> None:
        super().__init__()
        self.beta = beta

    def regularizer(
        self, posterior: Normal, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """β times the KL term."""
        kl = mean_kl(posterior, prior)
        return at_step(self.beta, step) * kl, {"kl": kl}


class BetaVAEBLoss(ELBOLoss):
    r"""β-VAE of Burgess et al.: the KL term is held at a growing capacity, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \gamma\, | KL(q(z|x) \| p(z)) - C |

    The KL inside the bars is the mean over the batch, as in the paper; some implementations take
    the mean of ``|KL - C|`` over the images, which also makes every image cost the same. Terms:
    ``objective, reconstruction, kl``. γ = 1 and C = 0 is :class:`VAELoss`.

    Args:
        gamma: weight of the distance from the capacity.
        capacity: C in nats; the paper raises it from 0 to 25 over 100,000 steps.

    Reference:
        Understanding disentangling in β-VAE, Burgess et al. 2018,
        https://arxiv.org/abs/1804.03599, equation 8.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, BetaVAEBLoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> BetaVAEBLoss(gamma=100.0)(model, x, 5_000).loss.backward()  # at step 5,000: C = 1.25
    """

    def __init__(
        self,
        gamma: float | Schedule = 1000.0,
        capacity: float | Schedule = Linear(0.0, 25.0, steps=100_000),  # noqa: B008  frozen
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.capacity = capacity

    def regularizer(
        self, posterior: Normal, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """γ times the distance of the KL term from the capacity."""
        kl = mean_kl(posterior, prior)
        distance = (kl - at_step(self.capacity, step)).abs()
        return at_step(self.gamma, step) * distance, {"kl": kl}
