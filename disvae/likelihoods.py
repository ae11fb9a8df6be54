"""Likelihoods p(x|z) of an image given a decoder's output: true densities, in nats per image."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

Images = Float[Tensor, "batch channels height width"]


class Likelihood(ABC):
    """What a decoder's output means: the ``parameters`` of a distribution over images.

    ``parameters`` have the shape of the images. Sums run in float32 at least, also under autocast.
    """

    @abstractmethod
    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats: summed over pixels, not averaged over the batch."""

    @abstractmethod
    def mean(self, parameters: Images) -> Images:
        """The mean image E[x|z]."""


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Independent pixels that are on with probability sigmoid(parameters); x in [0, 1].

    With grey x this is the cross-entropy that the field uses, which is not a normalised density.
    The parameters are logits: a sigmoid followed by a logarithm would lose them to rounding.
    """

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats."""
        logits, x = _aligned(parameters, x)
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)

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
        logits, x = _aligned(parameters, x)
        cross_entropy = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        small, safe = _near_zero(logits)
        constant = torch.where(small, 2 + logits**2 / 6, safe / torch.tanh(safe / 2)).log()
        return (cross_entropy - constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The mean of each pixel, which is not λ: nearer to one half."""
        small, safe = _near_zero(parameters)
        exact = torch.sigmoid(safe) / torch.tanh(safe / 2) - 1 / safe
        return torch.where(small, 0.5 + parameters / 12, exact)


@dataclass(frozen=True)
class Gaussian(Likelihood):
    """Independent Gaussian pixels of fixed standard deviation around ``parameters``.

    Args:
        std: standard deviation, in the unit of the pixels.

    Raises:
        ValueError: ``std`` is not positive.
    """

    std: float = 1.0

    def __post_init__(self) -> None:
        _check_positive("std", self.std)

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats, with its constant."""
        mean, x = _aligned(parameters, x)
        constant = math.log(self.std) + 0.5 * math.log(2 * math.pi)
        return (0.5 * ((x - mean) / self.std) ** 2 + constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves."""
        return parameters


@dataclass(frozen=True)
class SquaredError(Likelihood):
    """The field's constant-free squared error, summed over pixels.

    It is ``Gaussian(std=sqrt(1/2))`` less its constant (P/2)·log(π) for P pixels: the gradients are
    the same, but the values are not log-likelihoods and can be compared only with one another.
    """

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """Sum over the pixels of (x - parameters)², of each image."""
        mean, x = _aligned(parameters, x)
        return ((x - mean) ** 2).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves."""
        return parameters


@dataclass(frozen=True)
class Laplace(Likelihood):
    """Independent Laplace pixels of fixed scale around ``parameters``: an absolute error.

    Args:
        scale: mean absolute deviation b, in the unit of the pixels:
            ``p(x) = exp(-|x - m| / b) / 2b``.

    Raises:
        ValueError: ``scale`` is not positive.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        _check_positive("scale", self.scale)

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats, with its constant."""
        mean, x = _aligned(parameters, x)
        return ((x - mean).abs() / self.scale + math.log(2 * self.scale)).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves."""
        return parameters


@dataclass(frozen=True)
class DiscretizedLogistic(Likelihood):
    """Independent pixels of so many levels, each with the mass of a logistic density around it.

    The lowest and the highest level also have the tail beyond them, so that the masses of all
    levels sum to 1: the nats of this likelihood are those of a code for the bytes of an image. x is
    rounded to the nearest level.

    Args:
        scale: of the logistic density, in the unit of the pixels.
        levels: how many values a pixel has, from 0 to 1.

    Raises:
        ValueError: ``scale`` is not positive, or there are less than 2 levels.

    Reference:
        Improving Variational Inference with Inverse Autoregressive Flow, Kingma et al. 2016,
        https://arxiv.org/abs/1606.04934, section 5.2.1; the tails as in PixelCNN++, Salimans et al.
        2017, https://arxiv.org/abs/1701.05517, equation 2.
    """

    scale: float = 0.05
    levels: int = 256

    def __post_init__(self) -> None:
        _check_positive("scale", self.scale)
        if self.levels < 2:
            raise ValueError(f"levels must be at least 2, got {self.levels}")

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats."""
        location, x = _aligned(parameters, x)
        highest = self.levels - 1
        level = (x * highest).round()
        width = 1 / (highest * self.scale)
        above = ((level + 0.5) / highest - location) / self.scale
        below = above - width
        # log(σ(above) - σ(below)), written so that neither tail is rounded away
        from_below = torch.where(level == 0, 0, F.logsigmoid(-below))
        from_above = torch.where(level == highest, 0, F.logsigmoid(above))
        inside = (level > 0) & (level < highest)
        between = inside.to(level.dtype) * math.log(-math.expm1(-width))
        return -(from_below + from_above + between).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The centre of the density, brought into [0, 1]."""
        return parameters.clamp(0, 1)


def _aligned(parameters: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the wider of their types, float32 at least: thousands of pixels are to be added."""
    if parameters.shape != x.shape:
        raise ValueError(
            f"the decoder gave parameters of shape {tuple(parameters.shape)} for images of shape "
            f"{tuple(x.shape)}; they must be equal: check the decoder's image shape"
        )
    dtype = torch.promote_types(torch.promote_types(parameters.dtype, x.dtype), torch.float32)
    return parameters.to(dtype), x.to(dtype)


def _near_zero(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Where a series takes over from a quotient of zeros, and logits that are safe to divide by."""
    small = logits.abs() < 1e-2
    return small, torch.where(small, 1.0, logits)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")
