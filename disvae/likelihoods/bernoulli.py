"""Pixels that are on or off, and grey ones between them: the decoder gives logits."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.likelihoods.base import Images, Likelihood, aligned
from disvae.likelihoods.cross_entropy import cross_entropy


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Independent pixels that are on with probability sigmoid(parameters); x in [0, 1].

    With grey x this is the cross-entropy that the field uses, which is not a normalised density.
    The parameters are logits: a sigmoid followed by a logarithm would lose them to rounding.
    """

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats."""
        logits, x = aligned(parameters, x)
        return cross_entropy(logits, x).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The probability of each pixel."""
        return torch.sigmoid(parameters)


@dataclass(frozen=True)
class ContinuousBernoulli(Likelihood):
    """Independent pixels in [0, 1] with a density proportional to λ^x (1 - λ)^(1 - x), λ = sigmoid.

    The cross-entropy of :class:`Bernoulli` less the constant that makes it a density for grey
    images, log(l / tanh(l / 2)) for the logit l. The values are densities: they may be negative.

    Reference:
        The continuous Bernoulli, Loaiza-Ganem and Cunningham 2019,
        https://arxiv.org/abs/1907.06845, equations 3 to 8.
    """

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats, with its constant."""
        logits, x = aligned(parameters, x)
        small, safe = _near_zero(logits)
        constant = torch.where(small, 2 + logits**2 / 6, safe / torch.tanh(safe / 2)).log()
        return (cross_entropy(logits, x) - constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The mean of each pixel, which is not λ: nearer to one half."""
        small, safe = _near_zero(parameters)
        exact = torch.sigmoid(safe) / torch.tanh(safe / 2) - 1 / safe
        return torch.where(small, 0.5 + parameters / 12, exact)


def _near_zero(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Where a series takes over from a quotient of zeros, and logits that are safe to divide by."""
    small = logits.abs() < 1e-2
    return small, torch.where(small, 1.0, logits)
