"""Decoders whose output ends in a sigmoid or a tanh, before the likelihood that compares it."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods.base import UNIT, DataRange, Images, Likelihood
from disvae.spec import Describable


class Link(Describable, nn.Module, Likelihood, ABC):
    """A function of the decoder's output that brings it into the range of its likelihood.

    Args:
        base: the likelihood, which must declare that range.

    Raises:
        ValueError: it declares another, or takes logits and needs no link.
    """

    data_range: ClassVar[DataRange]

    def __init__(self, base: Likelihood) -> None:
        super().__init__()
        declared = getattr(base, "data_range", None)
        if declared != self.data_range:
            what = "takes logits" if declared is None else f"has data_range={declared}"
            raise ValueError(
                f"{type(self).__name__} gives values in {self.data_range}, but "
                f"{type(base).__name__} {what}: take a likelihood with that range, such as "
                f"SquaredError with data_range {list(self.data_range)}"
            )
        self.base = base

    @abstractmethod
    def squash(self, parameters: Images) -> Images:
        """The function, in float32 at least."""

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """That of the base at the function's value."""
        return self.base.nll(self._squash(parameters), x)

    def mean(self, parameters: Images) -> Images:
        """That of the base at the function's value."""
        return self.base.mean(self._squash(parameters))

    def _squash(self, parameters: Images) -> Images:
        dtype = torch.promote_types(parameters.dtype, torch.float32)
        return self.squash(parameters.to(dtype))


class Sigmoid(Link):
    """A sigmoid, before a likelihood over (0, 1).

    ``Sigmoid(SquaredError())`` is the field's squared error of a sigmoid.

    Args:
        base: the likelihood, with the range (0, 1).

    Raises:
        ValueError: it declares another range, or takes logits.
    """

    data_range = UNIT

    def squash(self, parameters: Images) -> Images:
        """1 / (1 + exp(-parameters))."""
        return parameters.sigmoid()


class Tanh(Link):
    """A tanh, before a likelihood that works on (-1, 1).

    ``Tanh(SquaredError(data_range=(-1.0, 1.0)))`` is the field's squared error of a tanh.

    Args:
        base: the likelihood, with the range (-1, 1).

    Raises:
        ValueError: it declares another range, or takes logits.
    """

    data_range = (-1.0, 1.0)

    def squash(self, parameters: Images) -> Images:
        """The hyperbolic tangent."""
        return parameters.tanh()
