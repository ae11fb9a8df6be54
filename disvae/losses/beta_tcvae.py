"""The loss of β-TCVAE."""

from torch.distributions import Distribution, Normal

from disvae.divergence.minibatch import make_estimator
from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl
from disvae.schedules import Schedule, at_step


class BetaTCVAELoss(ELBOLoss):
    r"""β-TCVAE: each of the three terms of the KL has its own weight, in nats per image.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + \alpha\, I(x; z) + \beta\, TC(z)
        + \gamma \sum_j KL(q(z_j) \| p(z_j))

    Computed as KL + (α - 1)·I + (β - 1)·TC + (γ - 1)·Σ_j KL_j, which has the same expectation: the
    three estimates telescope to the Monte Carlo KL of the batch, whose place the closed form takes.
    That has less noise, and the neutral weights (1, 1, 1) are :class:`VAELoss` exactly.

    Terms: ``objective, reconstruction, kl`` (closed form), ``mutual_information``,
    ``total_correlation``, ``dimension_wise_kl`` (by the estimator).

    Args:
        dataset_size: number of images in the whole training set.
        alpha: weight of the mutual information.
        beta: weight of the total correlation; 6 for dSprites. FactorVAE's γ is β - 1.
        gamma: weight of the dimension-wise KL.
        estimator: "mws" (minibatch weighted sampling, the paper's choice) or "mss" (stratified).

    Raises:
        ValueError: an unknown estimator, or a data set of less than one image.

    Reference:
        Isolating Sources of Disentanglement in VAEs, Chen et al. 2018,
        https://arxiv.org/abs/1802.04942, equation 4.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, BetaTCVAELoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> BetaTCVAELoss(dataset_size=737_280, beta=6.0)(model, x).loss.backward()
    """

    def __init__(
        self,
        dataset_size: int,
        alpha: float | Schedule = 1.0,
        beta: float | Schedule = 6.0,
        gamma: float | Schedule = 1.0,
        estimator: str = "mws",
    ) -> None:
        super().__init__()
        self.estimator = make_estimator(estimator, dataset_size)
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma

    def regularizer(
        self, posterior: Normal, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The weighted sum of the three terms."""
        kl = mean_kl(posterior, prior)
        parts = self.estimator(posterior, z, prior)
        weights = (at_step(weight, step) for weight in (self.alpha, self.beta, self.gamma))
        excess = sum((w - 1) * part for w, part in zip(weights, parts, strict=True))
        return kl + excess, {"kl": kl, **parts._asdict()}
