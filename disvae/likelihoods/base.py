"""What all likelihoods share: the interface, their precision, and the range of the pixels."""

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "batch channels height width"]
DataRange = tuple[float, float]
UNIT: DataRange = (0.0, 1.0)


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


def aligned(parameters: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the wider of their types, float32 at least: thousands of pixels are to be added."""
    if parameters.shape != x.shape:
        raise ValueError(
            f"the decoder gave parameters of shape {tuple(parameters.shape)} for images of shape "
            f"{tuple(x.shape)}; they must be equal: check the decoder's image shape"
        )
    dtype = torch.promote_types(torch.promote_types(parameters.dtype, x.dtype), torch.float32)
    return parameters.to(dtype), x.to(dtype)


def to_range(x: Tensor, data_range: DataRange) -> Tensor:
    """Pixels from [0, 1] to the range that the decoder works on."""
    low, high = data_range
    return x if data_range == UNIT else low + (high - low) * x


def from_range(x: Tensor, data_range: DataRange) -> Tensor:
    """Pixels from the range that the decoder works on to [0, 1]."""
    low, high = data_range
    return x if data_range == UNIT else (x - low) / (high - low)


def log_width(data_range: DataRange) -> float:
    """How much narrower a density over [0, 1] is than the same one over ``data_range``, in nats."""
    return math.log(data_range[1] - data_range[0])


def check_range(data_range: DataRange) -> None:
    """Refuse what is not a range of pixels."""
    low, high = data_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"data_range must be (low, high) with low < high, such as (-1.0, 1.0), got {data_range}"
        )


def check_positive(name: str, value: float) -> None:
    """Refuse a scale that is not positive."""
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")
