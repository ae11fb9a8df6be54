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
        scale: mean absolute deviation b, in the unit of the pixels; p(x) = exp(-|x - m| / b) / 2b.

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


def _aligned(parameters: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the wider of their types, float32 at least: thousands of pixels are to be added."""
    if parameters.shape != x.shape:
        raise ValueError(
            f"the decoder gave parameters of shape {tuple(parameters.shape)} for images of shape "
            f"{tuple(x.shape)}; they must be equal: check the decoder's image shape"
        )
    dtype = torch.promote_types(torch.promote_types(parameters.dtype, x.dtype), torch.float32)
    return parameters.to(dtype), x.to(dtype)


def _check_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")
