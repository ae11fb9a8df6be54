"""The losses of InfoGAN and InfoWGAN-GP: a game of two players, one of whom also tells its code."""

from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from disvae.losses.base import (
    Images,
    Loss,
    LossOutput,
    Scalar,
    Step,
    Terms,
    UnsuitableError,
    check_images,
)
from disvae.losses.gradient_penalty import between, gradient_penalty
from disvae.schedules import Weight, at_step

Judgement = Float[Tensor, " batch"]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


class _Round(NamedTuple):
    """What the critic has seen, and what it says of it.

    Attributes:
        x: real images.
        fake: generated ones, detached.
        real_values: the critic's numbers for the real ones.
        fake_values: for the generated ones.
    """

    x: Images
    fake: Images
    real_values: Judgement
    fake_values: Judgement


class InfoAdversarialLoss(Loss):
    r"""A generator against a critic, and with an encoder Q that finds the codes again.

    .. math:: \min_{G, Q} \max_D V(D, G) - \lambda\, L_I(G, Q), \quad
        L_I = H(c) - E_{c, \epsilon}[-\log Q(c | G(c, \epsilon))] \le I(c; G(c, \epsilon))

    What V is, subclasses say. One backward serves all players, since each part of the loss reaches
    its own only: the generator's part sees the critic frozen, the critic's part sees the generated
    images detached, and L_I reaches the generator, Q and the trunk that Q shares with the critic,
    as in the authors' code, where the trunk minimises -λ L_I too.

    So the critic takes one step for each of the generator's. Where a WGAN would take several, give
    it a faster rate.

    Args:
        weight: λ, in units of V for each nat.
        discriminator_lr: the critic's learning rate, its trunk's included; the model's if None.
    """

    def __init__(self, weight: Weight, discriminator_lr: float | None) -> None:
        super().__init__()
        self.weight, self.discriminator_lr = weight, discriminator_lr

    def forward(self, model: Any, batch: Images, step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: an :class:`disvae.models.InfoGAN`.
            batch: real images (batch, channels, height, width) in [0, 1].
            step: see :meth:`Loss.forward`.

        Raises:
            UnsuitableError: a model that is no such game, or images that are none.
            ValueError: a critic that does not suit the loss, or see
                :func:`disvae.losses.base.check_images`.
        """
        check_images(batch)
        self.check_model(model)
        weight = at_step(self.weight, step)
        columns, fake = _imagine(model, batch)
        # One pass of the trunk serves all: what the generator is to learn is taken from it here,
        # as its gradient at the images, and handed on below.
        seen = fake.detach().requires_grad_(torch.is_grad_enabled())
        features = model.trunk(seen)
        values = model.judge(features)
        information = _information(model, columns, features)
        persuasion = self.generator_loss(values)
        opponent, terms = self.critic_loss(
            model, _Round(batch, fake.detach(), model.judge(model.trunk(batch)), values)
        )
        shared = -weight * information
        objective = persuasion.detach() + shared + _reach(fake, seen, persuasion + shared)
        terms = {
            "objective": objective,
            "discriminator": opponent,
            "mutual_information": information,
            "generator": persuasion,
            **terms,
        }
        return LossOutput(objective + opponent, {name: t.detach() for name, t in terms.items()})

    def check_model(self, model: Any) -> None:
        """Refuse a model that this loss cannot train."""
        if not all(hasattr(model, name) for name in ("trunk", "judge", "recognise", "generate")):
            raise UnsuitableError(
                f"{type(self).__name__} trains an InfoGAN, such as disvae.models.InfoGAN2DShapes, "
                f"got {type(model).__name__}"
            )

    @abstractmethod
    def generator_loss(self, values: Judgement) -> Scalar:
        """What the generator minimises of the critic's numbers for its images."""

    @abstractmethod
    def critic_loss(self, model: Any, seen: _Round) -> tuple[Scalar, Terms]:
        """What the critic minimises, and what else to report."""

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Generator and Q, then the critic and the trunk, all with betas (0.5, 0.999).

        Args:
            model: the model to train.
            lr: the generator's and Q's learning rate.

        Raises:
            UnsuitableError: see :meth:`forward`.
        """
        self.check_model(model)
        game: Any = model
        opponent = [*game.trunk.parameters(), *game.critic.parameters()]
        theirs = {id(p) for p in opponent}
        own = [p for p in model.parameters() if id(p) not in theirs]
        rates = (lr, lr if self.discriminator_lr is None else self.discriminator_lr)
        return [
            {"params": parameters, "lr": rate, "betas": (0.5, 0.999)}
            for parameters, rate in zip((own, opponent), rates, strict=True)
        ]


class InfoGANLoss(InfoAdversarialLoss):
    r"""InfoGAN: the original GAN, whose generator makes its codes easy to find.

    .. math:: V = E_x[\log D(x)] + E_{c, \epsilon}[\log(1 - D(G(c, \epsilon)))]

    The critic gives the logit of D. The generator minimises the non-saturating -log D(G(c, ε)), as
    the authors' code does. Terms: ``objective``, ``generator`` (its part of the game),
    ``mutual_information`` (L_I, of the generator's own images and not of the data's, in nats),
    ``discriminator`` (cross-entropy of both kinds of images; 2 log 2 is chance),
    ``discriminator_accuracy`` (the part of both that it gets right).

    Args:
        weight: λ; 1 in the paper where codes are categorical, less where they are continuous.
        discriminator_lr: the discriminator's learning rate; the model's if None. In the paper
            2e-4, the generator's 1e-3. Q goes at the generator's rate; in the authors' code at the
            discriminator's.

    Reference:
        InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
        Adversarial Nets, Chen et al. 2016, https://arxiv.org/abs/1606.03657

    Example:
        >>> import torch
        >>> from disvae.models import InfoGAN2DShapes
        >>> model, x = InfoGAN2DShapes((1, 64, 64)), torch.rand(8, 1, 64, 64)
        >>> InfoGANLoss()(model, x).loss.backward()
    """

    def __init__(self, weight: Weight = 1.0, discriminator_lr: float | None = 2e-4) -> None:
        super().__init__(weight, discriminator_lr)

    def generator_loss(self, values: Judgement) -> Scalar:
        """-log D of the generated images."""
        return F.softplus(-values).mean()

    def critic_loss(self, model: Any, seen: _Round) -> tuple[Scalar, Terms]:
        """The cross-entropy of telling real from generated images."""
        loss = F.softplus(-seen.real_values).mean() + F.softplus(seen.fake_values).mean()
        right = (seen.real_values > 0).float().mean() + (seen.fake_values < 0).float().mean()
        return loss, {"discriminator_accuracy": right / 2}


class InfoWGANGPLoss(InfoAdversarialLoss):
    r"""InfoWGAN-GP: InfoGAN with a Wasserstein distance, whose critic's slope is held near 1.

    .. math:: V = E_x[D(x)] - E_{c, \epsilon}[D(G(c, \epsilon))]
        - \eta\, E_{\hat x}\left[ (\| \nabla D(\hat x) \|_2 - 1)^2 \right]

    with x̂ on the lines between real and generated images. Terms: ``objective``, ``generator`` (its
    part of the game), ``mutual_information`` (L_I, of the generator's own images and not of the
    data's, in nats), ``discriminator`` (the critic's loss), ``wasserstein`` (what the critic makes
    of the distance between both kinds of images), ``gradient_penalty`` (before η).

    Args:
        weight: λ, in units of the critic's numbers for each nat; 1 in the paper.
        penalty: η, 10 in both papers.
        discriminator_lr: the critic's learning rate; the model's if None. In FactorVAE's paper
            2e-4, the generator's 1e-3; WGAN-GP's own paper has five steps of the critic for one of
            the generator, both 1e-4.

    Raises:
        ValueError: later, a critic with batch normalisation, whose slope at an image would be that
            of the whole batch.

    Reference:
        Appendix G of Disentangling by Factorising, Kim and Mnih 2018,
        https://arxiv.org/abs/1802.05983; Improved Training of Wasserstein GANs, Gulrajani et al.
        2017, https://arxiv.org/abs/1704.00028.

    Example:
        >>> import torch
        >>> from disvae.models import InfoGAN2DShapes
        >>> model, x = InfoGAN2DShapes((1, 64, 64), normalization="layer"), torch.rand(8, 1, 64, 64)
        >>> InfoWGANGPLoss()(model, x).loss.backward()
    """

    def __init__(
        self,
        weight: Weight = 1.0,
        penalty: float = 10.0,
        discriminator_lr: float | None = 2e-4,
    ) -> None:
        super().__init__(weight, discriminator_lr)
        if not penalty >= 0:
            raise ValueError(f"the weight of the gradient penalty is not negative, got {penalty}")
        self.penalty = penalty

    def check_model(self, model: Any) -> None:
        """Refuse a critic with batch normalisation too."""
        super().check_model(model)
        layers = (*model.trunk.modules(), *model.critic.modules())
        if any(isinstance(layer, _BATCH_NORMS) for layer in layers):
            raise ValueError(
                "the gradient penalty is of single images, which batch normalisation in the critic "
                'mixes: give the model normalization "layer" (--model.normalization layer)'
            )

    def generator_loss(self, values: Judgement) -> Scalar:
        """-D of the generated images."""
        return -values.mean()

    def critic_loss(self, model: Any, seen: _Round) -> tuple[Scalar, Terms]:
        """Minus the distance, and the penalty."""
        distance = seen.real_values.mean() - seen.fake_values.mean()
        penalty = gradient_penalty(
            lambda x: model.judge(model.trunk(x)), between(seen.x, seen.fake)
        )
        terms = {"wasserstein": distance, "gradient_penalty": penalty}
        return self.penalty * penalty - distance, terms


def _imagine(model: Any, real: Images) -> tuple[Tensor, Images]:
    """Codes drawn from the prior, in columns, and images of them, as many and of the same type."""
    columns = model.prior.rsample(torch.Size((len(real),))).detach()
    noise = 2 * columns.new_empty(len(real), model.n_noise).uniform_() - 1
    return columns, model.likelihood.mean(model.generate(columns, noise)).to(real.dtype)


def _information(model: Any, columns: Tensor, features: Tensor) -> Scalar:
    """L_I: how much more probable Q finds the codes than the prior does, in nats."""
    log_ratio = model.recognise(features).log_prob(columns) - model.prior.log_prob(columns)
    return log_ratio.sum(-1).mean()


def _reach(fake: Images, seen: Images, loss: Scalar) -> Scalar:
    """Zero, with the gradient that ``loss``, of the copy ``seen``, has for ``fake`` alone."""
    if not torch.is_grad_enabled():
        return torch.zeros_like(loss)
    (gradient,) = torch.autograd.grad(loss, seen, retain_graph=True)
    return ((fake - fake.detach()) * gradient).sum()
