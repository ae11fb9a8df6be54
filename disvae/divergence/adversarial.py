"""Parts of the KL by a discriminator between the codes and other codes: the density-ratio trick.

Unlike the estimators of :mod:`disvae.divergence.minibatch` these learn: they are modules with an
opponent, the discriminator, which has a loss of its own.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.func import functional_call

from disvae.divergence.density_ratio import density_ratio, discriminator_loss, permute_dims
from disvae.divergence.one_pass import is_row_by_row, one_pass
from disvae.divergence.parameters import sizes_of
from disvae.spec import Describable
from disvae.tracing import is_traced

Codes = Float[Tensor, "batch latent_dim"]
OtherCodes = Float[Tensor, "other_batch latent_dim"]
Scalar = Float[Tensor, ""]


class OnlyTotalCorrelation(NamedTuple):
    """What a discriminator against permuted codes knows of the three terms.

    Attributes:
        total_correlation: TC(z) = KL(q(z) ‖ Π_j q(z_j)).
    """

    total_correlation: Scalar


class OnlyAggregateKL(NamedTuple):
    """What a discriminator against draws of the prior knows of the three terms.

    Attributes:
        aggregate_kl: KL(q(z) ‖ p(z)) = TC(z) + Σ_j KL(q(z_j) ‖ p(z_j)).
    """

    aggregate_kl: Scalar


class AdversarialEstimator(Describable, nn.Module, ABC):
    """Reads a KL off a discriminator that is being trained meanwhile.

    To the codes the discriminator is frozen: its parameters get no gradient from the estimate, its
    normalisation uses its running statistics, and dropout is off. To the discriminator the codes
    are detached. So both may be part of one loss.

    Args:
        discriminator: a module from codes to two logits, "joint" and "permuted".
    """

    def __init__(self, discriminator: nn.Module) -> None:
        super().__init__()
        self.discriminator = discriminator

    def forward(self, posterior: Distribution, z: Codes, prior: Distribution) -> Any:
        """The estimate, as the frozen discriminator sees it, under its name."""
        return self.named(self.log_ratio(z))

    @abstractmethod
    def named(self, ratio: Scalar) -> Any:
        """The mean log ratio as what it estimates."""

    @abstractmethod
    def reference(self, z: OtherCodes, prior: Distribution) -> OtherCodes:
        """Codes of the distribution that those of the model are told from."""

    def opponent_loss(
        self, z: Codes, prior: Distribution, other: OtherCodes | None = None
    ) -> Scalar:
        """The discriminator's cross-entropy, in nats; log 2 is chance.

        Args:
            z: codes of the model; detached here.
            prior: p(z), batch shape (latent_dim,).
            other: codes that the reference is made of; ``z`` if None.
        """
        joint = z.detach()
        reference = self.reference(joint if other is None else other.detach(), prior)
        return discriminator_loss(self.discriminator, joint, reference)

    def log_ratio(self, z: Codes) -> Scalar:
        """The mean difference of the frozen discriminator's two logits, in nats."""
        return density_ratio(self._frozen, z)

    def both(
        self, z: Codes, prior: Distribution, other: OtherCodes | None = None
    ) -> tuple[Scalar, Scalar]:
        """:meth:`log_ratio` and :meth:`opponent_loss`, by one pass where the two agree on it.

        The values and gradients are the same, but have no second derivatives
        (:func:`disvae.divergence.one_pass.one_pass`). A discriminator that is another one while it
        trains, or that may mix its rows, gets two passes.

        Args:
            z: codes of the model.
            prior: p(z), batch shape (latent_dim,).
            other: codes that the reference is made of; ``z`` if None.
        """
        differentiable = torch.is_grad_enabled() and z.requires_grad
        if not differentiable or is_traced() or not is_row_by_row(self.discriminator):
            return self.log_ratio(z), self.opponent_loss(z, prior, other)
        reference = self.reference(z.detach() if other is None else other.detach(), prior)
        return one_pass(self.discriminator, z, reference)

    def _frozen(self, z: Codes) -> Tensor:
        parameters = {name: p.detach() for name, p in self.discriminator.named_parameters()}
        training = self.discriminator.training
        self.discriminator.eval()
        try:
            return functional_call(self.discriminator, parameters, (z,))
        finally:
            self.discriminator.train(training)


class PermutedRatio(AdversarialEstimator):
    """The total correlation, from a discriminator between codes and codes with permuted dimensions.

    Args:
        discriminator: a module from codes to two logits, "joint" and "permuted".

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        section 3.
    """

    def named(self, ratio: Scalar) -> OnlyTotalCorrelation:
        """The mean log ratio as what it estimates: TC(z)."""
        return OnlyTotalCorrelation(ratio)

    def reference(self, z: OtherCodes, prior: Distribution) -> OtherCodes:
        """The codes with each dimension shuffled over the batch."""
        return permute_dims(z, sizes=sizes_of(prior))


class PriorRatio(AdversarialEstimator):
    """KL(q(z) ‖ p(z)), from a discriminator between codes and draws of the prior.

    Args:
        discriminator: a module from codes to two logits, "joint" and "prior".

    Reference:
        Adversarial Autoencoders, Makhzani et al. 2015, https://arxiv.org/abs/1511.05644; as a
        ratio of densities in appendix F of FactorVAE, https://arxiv.org/abs/1802.05983.
    """

    def named(self, ratio: Scalar) -> OnlyAggregateKL:
        """The mean log ratio as what it estimates: KL(q(z) ‖ p(z))."""
        return OnlyAggregateKL(ratio)

    def reference(self, z: OtherCodes, prior: Distribution) -> OtherCodes:
        """As many codes drawn from the prior."""
        with torch.no_grad():  # rsample: sample() looks at its arguments, which a GPU must wait for
            return prior.rsample(torch.Size((len(z),)))
