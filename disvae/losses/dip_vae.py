"""The loss of DIP-VAE: the aggregate posterior's covariance is drawn to the identity."""

from typing import Literal, get_args

import torch
from torch.distributions import Distribution

from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl, need_normal
from disvae.schedules import Schedule, at_step

Covariance = Literal["means", "codes"]


class DIPVAELoss(ELBOLoss):
    r"""DIP-VAE I and II: the ELBO with a penalty on a covariance C, in nats per image.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + KL(q(z|x) \| p(z))
        + \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2

    DIP-VAE I takes the covariance of the posterior means, DIP-VAE II that of the codes, which is
    the former plus the mean of the posterior variances. Both are those of the batch, divided by its
    size. A covariance sees no dependence but the linear one. Terms: ``objective, reconstruction,
    kl, off_diagonal, diagonal`` (the two sums). Zero weights are :class:`VAELoss`.

    Args:
        covariance: "means" for DIP-VAE I, "codes" for DIP-VAE II.
        off_diagonal: λ_od, weight of the covariances between dimensions.
        diagonal: λ_d, weight of the variances' distance from 1; usually ten times ``off_diagonal``
            for I, and equal to it for II, which is what None stands for.

    Raises:
        ValueError: an unknown covariance; later, a batch of less than 2 images, which has none.

    Reference:
        Variational Inference of Disentangled Latent Concepts from Unlabeled Observations, Kumar et
        al. 2018, https://arxiv.org/abs/1711.00848, equations 6 and 7.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> DIPVAELoss("codes")(model, x).loss.backward()
    """

    def __init__(
        self,
        covariance: Covariance = "means",
        off_diagonal: float | Schedule = 10.0,
        diagonal: float | Schedule | None = None,
    ) -> None:
        super().__init__()
        if covariance not in get_args(Covariance):
            raise ValueError(f"covariance must be in {get_args(Covariance)}, got {covariance!r}")
        self.covariance = covariance
        self.off_diagonal = off_diagonal
        self.diagonal = diagonal

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The KL plus the weighted squares of the covariance's distance from the identity."""
        posterior = need_normal(posterior, "DIPVAELoss")
        if len(z) < 2:
            raise ValueError("a covariance needs a batch of at least 2 images, got 1")
        centred = posterior.mean - posterior.mean.mean(0)
        covariance = centred.T @ centred / len(z)
        variances = covariance.diagonal()
        off_diagonal = covariance.square().sum() - variances.square().sum()
        if self.covariance == "codes":
            variances = variances + posterior.variance.mean(0)
        diagonal = (variances - 1).square().sum()
        kl = mean_kl(posterior, prior)
        weight = at_step(self.off_diagonal, step)
        penalty = kl + weight * off_diagonal + self._diagonal(weight, step) * diagonal
        return penalty, {"kl": kl, "off_diagonal": off_diagonal, "diagonal": diagonal}

    def _diagonal(self, off_diagonal: float | torch.Tensor, step: Step) -> float | torch.Tensor:
        if self.diagonal is not None:
            return at_step(self.diagonal, step)
        return 10 * off_diagonal if self.covariance == "means" else off_diagonal
