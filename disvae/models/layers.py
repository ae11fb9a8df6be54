"""What the networks share: checks of shapes, fully connected layers, the first weights.

The papers do not say how the first weights are drawn; here as He et al. 2015 derive it for networks
of ReLU (https://arxiv.org/abs/1502.01852), biases at zero.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

from disvae.images import looks_channels_last

ImageShape = tuple[int, int, int]


def check_image_shape(image_shape: ImageShape) -> None:
    """Refuse what is not (channels, height, width).

    Raises:
        ValueError: not three positive numbers, or such that the channels seem to be last.
    """
    if len(image_shape) != 3 or min(image_shape) < 1:
        raise ValueError(f"expected image_shape = (channels, height, width), got {image_shape}")
    if looks_channels_last(image_shape):
        raise ValueError(
            f"image_shape = {tuple(image_shape)} would be {image_shape[0]} channels of "
            f"{image_shape[1]}×{image_shape[2]}: channels come first, as in "
            f"{(image_shape[2], *image_shape[:2])}"
        )


def check_shape(x: Tensor, image_shape: ImageShape) -> None:
    """Refuse a batch that is not of the images that a network was made for.

    Raises:
        ValueError: the batch has another shape.
    """
    if tuple(x.shape[1:]) != tuple(image_shape):
        raise ValueError(
            f"expected images of shape (batch, {', '.join(map(str, image_shape))}), "
            f"got {tuple(x.shape)}"
        )


def fully_connected(
    sizes: Sequence[int], activation: Callable[..., nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Linear layers from ``sizes[0]`` to ``sizes[-1]`` features, with activations between them.

    Raises:
        ValueError: a layer of no units.
    """
    if min(sizes) < 1:
        raise ValueError(
            f"a layer has at least 1 unit, got sizes {list(sizes)}: look at latent_dim and at the "
            "sizes of the hidden layers"
        )
    layers: list[nn.Module] = []
    for i, o in pairwise(sizes):
        layers += [nn.Linear(i, o), activation(inplace=True)]
    return nn.Sequential(*layers[:-1])


def draw_weights(layer: nn.Module) -> None:
    """Draw the first weights of a layer; for ``module.apply``."""
    # PyTorch's own draw shrinks the signal by about 2.4 from one ReLU to the next: a network this
    # deep then decodes nearly the same image from every code, and has to learn its way out first.
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        bound = math.sqrt(6 / _fan_in(layer))
        nn.init.uniform_(layer.weight, -bound, bound)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _fan_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """How many inputs make one output, borders aside."""
    if isinstance(layer, nn.ConvTranspose2d):  # PyTorch's own count is that of the outputs
        return layer.weight.shape[0] * math.prod(layer.kernel_size) / math.prod(layer.stride)
    return layer.weight[0].numel()
