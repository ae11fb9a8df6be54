"""Absolute errors: Laplace pixels."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

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


@dataclass(frozen=True)
class Laplace(Likelihood):
    """Independent Laplace pixels of fixed scale around ``parameters``: an absolute error.

    Args:
        scale: mean absolute deviation b, in the unit of ``data_range``:
            ``p(x) = exp(-|x - m| / b) / 2b``.
        data_range: the range that the decoder works on, such as (-1.0, 1.0) for one that ends in
            tanh; images in [0, 1] are brought to it, and the mean image back.

    Raises:
        ValueError: ``scale`` is not positive, or the range is none.
    """

    scale: float = 1.0
    data_range: DataRange = UNIT

    def __post_init__(self) -> None:
        check_positive("scale", self.scale)
        check_range(self.data_range)

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """-log p(x|z) of each image in [0, 1], in nats, with its constant."""
        mean, x = aligned(parameters, x)
        deviation = (to_range(x, self.data_range) - mean).abs() / self.scale
        constant = math.log(2 * self.scale) - log_width(self.data_range)
        return (deviation + constant).flatten(1).sum(1)

    def mean(self, parameters: Images) -> Images:
        """The parameters themselves, brought to [0, 1]."""
        return from_range(parameters, self.data_range)
