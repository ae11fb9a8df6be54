"""The loss of the adversarial autoencoder."""

from torch import nn

from disvae.divergence.adversarial import PriorRatio
from disvae.losses.weighted import WeightedLoss
from disvae.models import Discriminator
from disvae.schedules import Weight


class AAELoss(WeightedLoss):
    r"""The adversarial autoencoder: the aggregate posterior matches the prior, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \lambda\, KL(q(z) \| p(z))

    There is no KL(q(z|x) ‖ p(z)), hence no price on the mutual information. A discriminator tells
    codes from draws of the prior; FactorVAE's authors read the objective as this KL by the
    density-ratio trick, and give it a weight. The autoencoder's own paper has the adversarial loss
    of a GAN in its place, and leaves open whether the encoder is deterministic: here it is
    Gaussian. Terms: ``objective``, ``discriminator``, ``reconstruction``, ``kl`` (which weighs
    nothing), ``aggregate_kl`` (the density ratio).

    Args:
        latent_dim: number of dimensions of the code.
        weight: λ, of KL(q(z) ‖ p(z)).
        discriminator: a module from codes to two logits, "joint" and "prior"; that of
            :class:`FactorVAELoss` if None.
        discriminator_lr: its learning rate; the model's if None.

    Reference:
        Adversarial Autoencoders, Makhzani et al. 2015, https://arxiv.org/abs/1511.05644; appendix F
        of FactorVAE, https://arxiv.org/abs/1802.05983.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> AAELoss(latent_dim=4)(model, x).loss.backward()
    """

    def __init__(
        self,
        latent_dim: int,
        weight: Weight = 1.0,
        discriminator: nn.Module | None = None,
        discriminator_lr: float | None = None,
    ) -> None:
        super().__init__(
            alpha=0.0,
            beta=weight,
            estimator=PriorRatio(discriminator or Discriminator(latent_dim)),
            discriminator_lr=discriminator_lr,
        )
        self.weight = weight
