"""What every model and every loss takes: images as floats in [0, 1]."""

from collections.abc import Sequence

import torch
from torch import Tensor

from disvae.tracing import is_traced


class UnsuitableError(TypeError):
    """A model or a loss was given a batch, or a loss a model, that it is not made for."""


def check_images(x: Tensor) -> None:
    """Refuse what is not a batch of images in [0, 1].

    The values are looked at on the CPU alone: on a GPU the look would wait for all work in flight.

    Raises:
        UnsuitableError: not a floating-point tensor.
        ValueError: not of shape (batch, channels, height, width), empty, or with values that are
            NaN, infinite, or outside [0, 1].
    """
    if not isinstance(x, Tensor) or not x.is_floating_point():
        kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise UnsuitableError(f"expected images as a floating-point tensor in [0, 1], got {kind}")
    if x.dim() != 4 or len(x) == 0:
        raise ValueError(
            "expected at least one image, of shape (batch, channels, height, width), "
            f"got {tuple(x.shape)}"
        )
    if x.device.type == "cpu" and not is_traced():
        low, high = torch.aminmax(x.detach())  # NaN in either if there is one anywhere
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"expected images with values in [0, 1], got values from {low:g} to {high:g}: "
                "data.floats(indices) gives them; divide bytes by 255, bring [-1, 1] back by "
                "(x + 1) / 2, and look for NaN"
            )


def looks_channels_last(shape: Sequence[int]) -> bool:
    """Whether (channels, height, width) are rather height, width and 1, 3 or 4 channels."""
    channels, height, width = shape
    return width in (1, 3, 4) and channels > 4 and height > 4
