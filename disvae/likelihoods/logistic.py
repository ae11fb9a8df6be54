"""Pixels of so many levels, such as bytes."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from disvae.likelihoods.base import Images, Likelihood, aligned, check_positive


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
        check_positive("scale", self.scale)
        if self.levels < 2:
            raise ValueError(f"levels must be at least 2, got {self.levels}")

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image, in nats."""
        location, x = aligned(parameters, x)
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
