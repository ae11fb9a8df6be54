"""The loss of FactorVAE: two players, one backward pass."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution, Normal
from torch.func import functional_call

from disvae.divergence.density_ratio import density_ratio, discriminator_loss, permute_dims
from disvae.losses.base import (
    Codes,
    ELBOLoss,
    Images,
    LossOutput,
    Model,
    Scalar,
    Step,
    Terms,
    check_images,
    mean_kl,
)
from disvae.models import Discriminator
from disvae.schedules import Schedule, at_step

OtherImages = Float[Tensor, "other_batch channels height width"]


class FactorVAELoss(ELBOLoss):
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
        gamma: float | Schedule = 35.0,
        discriminator: nn.Module | None = None,
        discriminator_lr: float | None = None,
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.discriminator = discriminator or Discriminator(latent_dim)
        self.discriminator_lr = discriminator_lr

    def forward(
        self, model: Model, batch: Images | tuple[Images, OtherImages], step: Step = None
    ) -> LossOutput:
        """Compute the sum of both players' losses.

        Args:
            model: the VAE to train.
            batch: images (batch, C, H, W), or a pair of independent batches of them.
            step: see :meth:`Loss.forward`.

        Raises:
            ValueError: fewer than 2 images, whose codes cannot be permuted.
        """
        x, other = batch if isinstance(batch, (tuple, list)) else (batch, None)
        objective, terms, z = self._elbo(model, x, step)
        joint = z.detach()
        independent = joint if other is None else _draw_codes(model, other)
        opponent = discriminator_loss(self.discriminator, joint, permute_dims(independent))
        return LossOutput(objective + opponent, {**terms, "discriminator": opponent.detach()})

    def regularizer(
        self, posterior: Normal, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The KL plus γ times the total correlation that the frozen discriminator sees."""
        kl = mean_kl(posterior, prior)
        total_correlation = density_ratio(self._frozen, z)
        penalty = kl + at_step(self.gamma, step) * total_correlation
        return penalty, {"kl": kl, "total_correlation": total_correlation}

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """The model, and the discriminator with its own learning rate and Adam's betas (0.5, 0.9).

        Args:
            model: the model to train.
            lr: its learning rate.
        """
        model_group, opponent = super().parameter_groups(model, lr)
        opponent["betas"] = (0.5, 0.9)
        if self.discriminator_lr is not None:
            opponent["lr"] = self.discriminator_lr
        return [model_group, opponent]

    def _frozen(self, z: Codes) -> Tensor:
        """The discriminator's logits, through which gradients reach ``z`` but no parameter."""
        frozen = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        return functional_call(self.discriminator, frozen, (z,))


@torch.no_grad()
def _draw_codes(model: Model, x: Images) -> Codes:
    check_images(x)
    return model.encode(x).sample()
