"""The loss of InfoVAE with the maximum mean discrepancy, also known as MMD-VAE."""

from typing import cast

from torch.distributions import Distribution, Normal

from disvae.divergence import maximum_mean_discrepancy
from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl, need_normal
from disvae.schedules import Weight, at_step


class InfoVAELoss(ELBOLoss):
    r"""InfoVAE: the aggregate posterior matches the prior by its maximum mean discrepancy.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + (1 - \alpha)\, KL(q(z|x) \| p(z))
        + (\alpha + \lambda - 1)\, MMD(q(z), p(z))

    With a KL in the discrepancy's place the weights on mutual information, total correlation and
    dimension-wise KL would be 1 - α, λ and λ: α = 1 does not penalise information at all, which is
    the MMD-VAE. The discrepancy has no unit and is far smaller than a KL in nats, so that λ is
    large. Terms: ``objective, reconstruction, kl, mmd``. α = 0 and λ = 1 are :class:`VAELoss`.

    Args:
        alpha: how much of the price of the mutual information is taken off.
        lam: λ, what the aggregate posterior's distance from the prior costs.
        bandwidth: the kernel's standard deviation; √latent_dim if None, at which two draws of the
            prior are e^-1 alike on average. Papers and packages have different ones.

    Raises:
        ValueError: later, a batch of less than 2 images.

    Reference:
        InfoVAE: Information Maximizing Variational Autoencoders, Zhao et al. 2017,
        https://arxiv.org/abs/1706.02262, equation 6.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> InfoVAELoss(alpha=0.5, lam=100.0)(model, x).loss.backward()
    """

    def __init__(
        self, alpha: Weight = 1.0, lam: Weight = 1000.0, bandwidth: float | None = None
    ) -> None:
        super().__init__()
        if bandwidth is not None and not bandwidth > 0:
            raise ValueError(f"bandwidth must be positive, got {bandwidth}")
        self.alpha, self.lam, self.bandwidth = alpha, lam, bandwidth

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The weighted sum of the KL and the discrepancy."""
        kl = mean_kl(need_normal(posterior, "InfoVAELoss"), prior)
        bandwidth = self.bandwidth or z.shape[1] ** 0.5
        mmd = maximum_mean_discrepancy(z, cast(Normal, prior), bandwidth)
        alpha, lam = at_step(self.alpha, step), at_step(self.lam, step)
        return (1 - alpha) * kl + (alpha + lam - 1) * mmd, {"kl": kl, "mmd": mmd}
