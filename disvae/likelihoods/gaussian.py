"""Squared errors: Gaussian pixels of a standard deviation that is fixed, learned, or left out."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods.base import (
    UNIT,
    DataRange,
    Images,
    Likelihood,
    aligned,
    check_positive,
    check_range,
    from_range,
    log_width,
    to_range,
)
from disvae.spec import Describable


@dataclass(frozen=True)
class Gaussian(Likelihood):
    """Independent Gaussian pixels of fixed standard deviation around ``parameters``.

    Args:
        std: standard deviation, in the unit of ``data_range``.
        data_range: the range that the decoder works on, such as (-1.0, 1.0) for one that ends in
            tanh; images in [0, 1] are brought to it, and the mean image back.

    Raises:
        ValueError: ``std`` is not positive, or the range is none.
    """

    std: float = 1.0
    data_range: DataRange = UNIT

    def __post_init__(self) -> None:
        check_positive("std", self.std)
        check_range(self.data_range)

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image in [0, 1], in nats, with its constant."""
        mean, x = aligned(parameters, x)
        deviation = (to_range(x, self.data_range) - mean) / self.std
        constant = math.log(self.std) + 0.5 * math.log(2 * math.pi) - log_width(self.data_range)
        return (0.5 * deviation**2 + constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves, brought to [0, 1]."""
        return from_range(parameters, self.data_range)


class LearnedGaussian(Describable, nn.Module, Likelihood):
    """Gaussian pixels of one standard deviation that is learned along with the networks.

    The best one is the root of the mean squared error, whatever that is at the moment, which spares
    the choice of a weight between reconstruction and KL; a KL weight beside it then means the same
    for all data sets. It is a parameter of the model: an optimiser that is given
    ``model.parameters()`` trains it.

    Args:
        std: standard deviation to start from, in the unit of ``data_range``.
        data_range: the range that the decoder works on, such as (-1.0, 1.0) for one that ends in
            tanh; images in [0, 1] are brought to it, and the mean image back.

    Raises:
        ValueError: ``std`` is not positive, or the range is none.

    Reference:
        Simple and Effective VAE Training with Calibrated Decoders, Rybkin et al. 2021,
        https://arxiv.org/abs/2006.13202, section 3.

    Example:
        >>> from disvae import BurgessVAE
        >>> model = BurgessVAE((1, 32, 32), likelihood=LearnedGaussian(std=0.5))
        >>> round(model.likelihood.std.item(), 3)
        0.5
    """

    def __init__(self, std: float = 1.0, data_range: DataRange = UNIT) -> None:
        super().__init__()
        check_positive("std", std)
        check_range(data_range)
        self.data_range = data_range
        self.log_std = nn.Parameter(torch.tensor(math.log(std)))

    @property
    def std(self) -> Float[Tensor, ""]:
        """The standard deviation as it is now."""
        return self.log_std.exp()

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image in [0, 1], in nats, with its constant."""
        mean, x = aligned(parameters, x)
        deviation = (to_range(x, self.data_range) - mean) / self.std
        constant = self.log_std + 0.5 * math.log(2 * math.pi) - log_width(self.data_range)
        return (0.5 * deviation**2 + constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves, brought to [0, 1]."""
        return from_range(parameters, self.data_range)


@dataclass(frozen=True)
class SquaredError(Likelihood):
    """The field's constant-free squared error, summed over pixels.

    It is ``Gaussian(std=sqrt(1/2))`` less its constant (P/2)·log(π) for P pixels: the gradients are
    the same, but the values are not log-likelihoods and can be compared only with one another, at
    the same ``data_range``: over (-1, 1) the error is four times that over (0, 1).

    Args:
        data_range: the range that the decoder works on, such as (-1.0, 1.0) for one that ends in
            tanh; images in [0, 1] are brought to it, and the mean image back.

    Raises:
        ValueError: the range is none.
    """

    data_range: DataRange = UNIT

    def __post_init__(self) -> None:
        check_range(self.data_range)

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """Sum over the pixels of (x - parameters)², of each image, in the range's unit."""
        mean, x = aligned(parameters, x)
        return ((to_range(x, self.data_range) - mean) ** 2).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves, brought to [0, 1]."""
        return from_range(parameters, self.data_range)
