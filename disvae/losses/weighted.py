"""The general loss: any weights on the three terms of the KL, by any estimator of them."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution

from disvae.divergence.adversarial import AdversarialEstimator
from disvae.divergence.minibatch import Estimator
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
    objective,
    run_model,
)
from disvae.schedules import Weight, at_step

OtherImages = Float[Tensor, "other_batch channels height width"]


class Weights(NamedTuple):
    """The weights of the three terms of the KL; None is that of the mutual information."""

    mutual_information: Weight
    total_correlation: Weight | None
    dimension_wise_kl: Weight | None


class WeightedLoss(ELBOLoss):
    r"""A weight on each of the three terms of the KL, in nats per image.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + \alpha\, I(x; z) + \beta\, TC(z)
        + \gamma \sum_j KL(q(z_j) \| p(z_j))

    What the three have in common is the KL in closed form, which has less noise than any estimate,
    and which may be held at a capacity C. The rest is up to an estimator:

    .. math:: \alpha\, | KL - C | + (\beta - \alpha)\, TC + (\gamma - \alpha) \sum_j KL_j

    The other losses are this one with some weights:

    ================================  ===========================================================
    :class:`VAELoss`                  ``WeightedLoss()``
    :class:`BetaVAEHLoss`             ``WeightedLoss(alpha=4.0)``
    :class:`BetaVAEBLoss`             ``WeightedLoss(alpha=1000.0, capacity=Linear(0, 25, 100000))``
    :class:`BetaTCVAELoss`            ``WeightedLoss(beta=6.0, estimator=MinibatchWeighted(n))``
    :class:`FactorVAELoss`            ``WeightedLoss(beta=36.0, estimator=PermutedRatio(d))``
    :class:`FactorVAEPriorLoss`       ``WeightedLoss(beta=36.0, estimator=PriorRatio(d))``
    :class:`AAELoss`                  ``WeightedLoss(alpha=0.0, beta=1.0, estimator=PriorRatio(d))``
    ================================  ===========================================================

    An adversarial estimator has a discriminator, with a loss of its own: ``loss`` is then the sum
    of both players', each of which reaches only its own player, and one ``backward`` and one
    optimiser with the groups of :meth:`parameter_groups` train both.

    Terms: ``objective, reconstruction, kl`` (closed form), and what the estimator finds:
    ``mutual_information``, ``total_correlation``, ``dimension_wise_kl`` or ``aggregate_kl``; and
    ``discriminator`` (the opponent's loss) if there is one.

    Args:
        alpha: weight of the mutual information.
        beta: weight of the total correlation; ``alpha`` if None.
        gamma: weight of the dimension-wise KL; ``alpha`` if None. An estimator that finds only its
            sum with the total correlation (:class:`~disvae.divergence.PriorRatio`) weighs both by
            ``beta``.
        capacity: C, in nats.
        estimator: of the terms, needed unless all weights are alike: a
            :class:`~disvae.divergence.MinibatchWeighted`, ``MinibatchStratified``,
            ``MinibatchJackknife``, ``BatchEstimate``, ``PermutedRatio``, ``PriorRatio``.
        discriminator_lr: learning rate of the estimator's discriminator; the model's if None.

    Raises:
        ValueError: weights that differ without an estimator, or a ``gamma`` of its own for an
            estimator that does not find the dimension-wise KL.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> from disvae.divergence import MinibatchJackknife
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> criterion = WeightedLoss(0.5, beta=6.0, gamma=1.0, estimator=MinibatchJackknife(1_000))
        >>> criterion(model, x).loss.backward()
    """

    def __init__(
        self,
        alpha: Weight = 1.0,
        beta: Weight | None = None,
        gamma: Weight | None = None,
        capacity: Weight = 0.0,
        estimator: Estimator | AdversarialEstimator | None = None,
        discriminator_lr: float | None = None,
    ) -> None:
        super().__init__()
        if estimator is None and not (beta is None and gamma is None):
            raise ValueError(
                "weights that differ need an estimator of the terms: give one of "
                "disvae.divergence, such as MinibatchJackknife(dataset_size) (--loss.estimator "
                "MinibatchJackknife --loss.estimator.dataset_size N)"
            )
        if isinstance(estimator, AdversarialEstimator) and gamma is not None:
            raise ValueError(
                f"{type(estimator).__name__} does not find the dimension-wise KL by itself, so "
                "leave out its weight gamma, or take a minibatch estimator"
            )
        self.weights = Weights(alpha, beta, gamma)
        self.capacity = capacity
        self.estimator = estimator
        self.discriminator_lr = discriminator_lr

    @property
    def discriminator(self) -> nn.Module | None:
        """The estimator's discriminator, if it has one."""
        if isinstance(self.estimator, AdversarialEstimator):
            return self.estimator.discriminator
        return None

    def forward(
        self, model: Model, batch: Images | tuple[Images, OtherImages], step: Step = None
    ) -> LossOutput:
        """Compute the loss.

        Args:
            model: the VAE to train.
            batch: images (batch, C, H, W) in [0, 1]. For an adversarial estimator a pair of
                independent batches is fine too: the discriminator's permuted codes are then those
                of the second.
            step: see :meth:`Loss.forward`.
        """
        if not isinstance(self.estimator, AdversarialEstimator):
            images: Any = batch  # a pair is refused there
            return super().forward(model, images, step)
        x, other = batch if isinstance(batch, (tuple, list)) else (batch, None)
        check_images(x)
        posterior, z, parameters = run_model(model, x)
        reconstruction = model.likelihood.nll(parameters, x).mean()
        codes = None if other is None else _draw_codes(model, other)
        ratio, opponent = self.estimator.both(z, model.prior, codes)
        parts = self.estimator.named(ratio)._asdict()
        penalty, terms = self._penalty(mean_kl(posterior, model.prior), parts, step)
        loss, terms = objective(reconstruction, penalty, terms)
        return LossOutput(loss + opponent, {**terms, "discriminator": opponent.detach()})

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The weighted sum of the KL in closed form and of what is weighed beyond it."""
        kl = mean_kl(posterior, prior)
        parts = self.estimator(posterior, z, prior)._asdict() if self.estimator else {}
        return self._penalty(kl, parts, step)

    def _penalty(self, kl: Scalar, parts: Terms, step: Step) -> tuple[Scalar, Terms]:
        alpha = at_step(self.weights.mutual_information, step)
        penalty = alpha * (kl - at_step(self.capacity, step)).abs()
        beyond = {
            "total_correlation": self.weights.total_correlation,
            "dimension_wise_kl": self.weights.dimension_wise_kl,
            "aggregate_kl": self.weights.total_correlation,
        }
        for name, weight in beyond.items():
            if name in parts and weight is not None:
                penalty = penalty + (at_step(weight, step) - alpha) * parts[name]
        return penalty, {"kl": kl, **parts}

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """The model, and the discriminator if there is one, with its own rate and betas (0.5, 0.9).

        Args:
            model: the model to train.
            lr: its learning rate.
        """
        groups = super().parameter_groups(model, lr)
        for opponent in groups[1:]:
            opponent["betas"] = (0.5, 0.9)
            if self.discriminator_lr is not None:
                opponent["lr"] = self.discriminator_lr
        return groups


@torch.no_grad()
def _draw_codes(model: Model, x: Images) -> Codes:
    check_images(x)
    return model.encode(x).rsample()  # sample() looks at its arguments: a GPU would wait
