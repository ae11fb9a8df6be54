"""The loss of β-TCVAE."""

from disvae.divergence.estimators import make_estimator
from disvae.losses.weighted import WeightedLoss
from disvae.schedules import Weight


class BetaTCVAELoss(WeightedLoss):
    r"""β-TCVAE: each of the three terms of the KL has its own weight, in nats per image.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + \alpha\, I(x; z) + \beta\, TC(z)
        + \gamma \sum_j KL(q(z_j) \| p(z_j))

    Computed as α·KL + (β - α)·TC + (γ - α)·Σ_j KL_j, which has the same expectation: the three
    estimates telescope to the Monte Carlo KL of the batch, whose place the closed form takes. That
    has less noise, and the neutral weights (1, 1, 1) are :class:`VAELoss` exactly.

    Terms: ``objective, reconstruction, kl`` (closed form), ``mutual_information``,
    ``total_correlation``, ``dimension_wise_kl`` (by the estimator).

    Args:
        dataset_size: number of images in the whole training set.
        alpha: weight of the mutual information.
        beta: weight of the total correlation; 6 for dSprites. FactorVAE's γ is β - 1.
        gamma: weight of the dimension-wise KL.
        estimator: "mws" (minibatch weighted sampling, the paper's choice, whose reported values are
            not near the truth), "mss" (stratified sampling) or "jackknife".

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
        alpha: Weight = 1.0,
        beta: Weight = 6.0,
        gamma: Weight = 1.0,
        estimator: str = "mws",
    ) -> None:
        super().__init__(alpha, beta, gamma, estimator=make_estimator(estimator, dataset_size))
        self.alpha, self.beta, self.gamma = alpha, beta, gamma
