"""The losses of FactorVAE: two players, one backward pass."""

from torch import nn

from disvae.divergence.adversarial import PermutedRatio, PriorRatio
from disvae.losses.weighted import WeightedLoss
from disvae.models import Discriminator
from disvae.schedules import Weight, plus


class FactorVAELoss(WeightedLoss):
    r"""FactorVAE: the ELBO with a further weight on the total correlation, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + KL(q(z|x) \| p(z)) + \gamma\, TC(z)

    TC(z) is the density ratio that a discriminator finds between codes and codes whose dimensions
    are permuted over the batch. ``loss`` is the sum of both players' losses, each of which reaches
    only its own player: the model sees the discriminator frozen, the discriminator sees detached
    codes. One ``backward`` and one optimiser with the two groups of :meth:`parameter_groups` train
    both.

    Algorithm 2 permutes the codes of a second, independent batch: give the pair of batches
    ``(x, other)`` to follow it to the letter. Given one batch, its own codes are permuted, which
    costs nothing more. The discriminator's expected gradient is the same, since its loss is a sum
    of one term over either set of codes, and its noise is less, since the two sets then differ in
    nothing but their dependence.

    Terms: ``objective`` (the model's loss), ``discriminator`` (its opponent's), ``reconstruction``,
    ``kl``, ``total_correlation`` (the density ratio). γ = 0 is :class:`VAELoss` to the model. In
    the weights of :class:`BetaTCVAELoss` it is β = 1 + γ.

    Args:
        latent_dim: number of dimensions of the code.
        gamma: weight of the total correlation; the paper's best for dSprites.
        discriminator: a module from codes to two logits, "joint" and "permuted"; the paper's,
            six hidden layers of 1000 units, if None.
        discriminator_lr: its learning rate; the model's if None, as for dSprites in the paper
            (1e-4). The paper has 1e-5 for 3D Shapes, Chairs and CelebA.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        equation 2, algorithm 2 and appendix A.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, FactorVAELoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> criterion = FactorVAELoss(latent_dim=4, gamma=35.0)
        >>> criterion(model, x).loss.backward()  # of both players
        >>> [group["lr"] for group in criterion.parameter_groups(model, lr=1e-4)]
        [0.0001, 0.0001]
    """

    def __init__(
        self,
        latent_dim: int,
        gamma: Weight = 35.0,
        discriminator: nn.Module | None = None,
        discriminator_lr: float | None = None,
    ) -> None:
        super().__init__(
            beta=plus(gamma, 1.0),
            estimator=PermutedRatio(discriminator or Discriminator(latent_dim)),
            discriminator_lr=discriminator_lr,
        )
        self.gamma = gamma


class FactorVAEPriorLoss(WeightedLoss):
    r"""The variant of FactorVAE that matches the prior, in nats per image.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + KL(q(z|x) \| p(z)) + \gamma\, KL(q(z) \| p(z))

    The discriminator tells codes from draws of the prior, so that the penalty is the total
    correlation and the dimension-wise KL together. The paper finds it to disentangle somewhat less
    than :class:`FactorVAELoss`, which leaves the marginals alone. Terms: ``objective``,
    ``discriminator``, ``reconstruction``, ``kl``, ``aggregate_kl`` (the density ratio). γ = 0 is
    :class:`VAELoss` to the model.

    Args:
        latent_dim: number of dimensions of the code.
        gamma: weight of KL(q(z) ‖ p(z)).
        discriminator: a module from codes to two logits, "joint" and "prior"; that of
            :class:`FactorVAELoss` if None.
        discriminator_lr: its learning rate; the model's if None.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        appendix F.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> FactorVAEPriorLoss(latent_dim=4)(model, x).loss.backward()
    """

    def __init__(
        self,
        latent_dim: int,
        gamma: Weight = 35.0,
        discriminator: nn.Module | None = None,
        discriminator_lr: float | None = None,
    ) -> None:
        super().__init__(
            beta=plus(gamma, 1.0),
            estimator=PriorRatio(discriminator or Discriminator(latent_dim)),
            discriminator_lr=discriminator_lr,
        )
        self.gamma = gamma
