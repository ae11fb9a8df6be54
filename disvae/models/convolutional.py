"""The field's convolutional encoder and decoder, for images of any size from 16 to 256.

The papers give the networks for 64×64 images: convolutions of kernel 4 and stride 2 until 4×4
pixels are left. The same rule gives three of them at 32×32, four at 64×64 and five at 128×128. A
side that cannot be halved as often is padded with zeros, half of them on either side, to the next
that can (28 to 32), and the decoder's output is cropped by as much.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from disvae.models.convolution_stack import ConvolutionStack
from disvae.models.layers import (
    ImageShape,
    check_image_shape,
    check_shape,
    draw_weights,
    fully_connected,
)
from disvae.models.upconvolution import Upconvolution

SMALLEST, LARGEST = 16, 256


def n_halvings(image_shape: ImageShape) -> int:
    """How many times an image is halved until its longer side is 4 pixels.

    Raises:
        ValueError: not three positive numbers, or a side outside of 16 to 256 pixels.
    """
    check_image_shape(image_shape)
    height, width = image_shape[1:]
    if min(height, width) < SMALLEST or max(height, width) > LARGEST:
        raise ValueError(
            f"this network takes images of {SMALLEST} to {LARGEST} pixels a side, got {height} x "
            f"{width}: resize them, use MLPVAE, which takes any size, or give VAE(encoder, "
            "decoder, ...) networks of your own"
        )
    return math.ceil(math.log2(max(height, width) / 4))


def padding(image_shape: ImageShape, halvings: int) -> list[int]:
    """Zeros to add, in the order of ``F.pad``: left, right, top, bottom."""
    sides = []
    for side in (image_shape[2], image_shape[1]):
        missing = -side % 2**halvings
        sides += [missing // 2, missing - missing // 2]
    return sides


def smallest_map(image_shape: ImageShape, halvings: int) -> tuple[int, int]:
    """Height and width of the padded image after all halvings."""
    height, width = (math.ceil(side / 2**halvings) for side in image_shape[1:])
    return height, width


class ConvEncoder(nn.Module):
    """Convolutions that halve the image, then fully connected layers, all with ReLU.

    Args:
        image_shape: (channels, height, width).
        n_outputs: size of the output; 2·latent_dim for a Gaussian posterior.
        channels: output channels of each convolution, as many as the image is halved.
        hidden: sizes of the fully connected layers.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        n_outputs: int,
        channels: Sequence[int],
        hidden: Sequence[int],
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.padding = padding(image_shape, len(channels))
        sizes = [image_shape[0], *channels]
        convolutions = [
            layer
            for i, o in pairwise(sizes)
            for layer in (
                nn.Conv2d(i, o, kernel_size=4, stride=2, padding=1),
                nn.ReLU(inplace=True),
            )
        ]
        # Channels last: with one channel in and few inside, the faster order on a CPU.
        self.convolutions = ConvolutionStack(*convolutions).to(memory_format=torch.channels_last)
        n_features = channels[-1] * math.prod(smallest_map(image_shape, len(channels)))
        self.head = fully_connected([n_features, *hidden, n_outputs])
        self.apply(draw_weights)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n"]:
        """The features of each image."""
        check_shape(x, self.image_shape)
        if any(self.padding):
            x = F.pad(x, self.padding)
        return self.head(self.convolutions(x).flatten(1))


class ConvDecoder(nn.Module):
    """The encoder's mirror image: fully connected layers, then convolutions that double the image.

    The last convolution has no activation: its output are the likelihood's parameters.

    Args:
        image_shape: (channels, height, width).
        latent_dim: size of the code.
        channels: the encoder's channels, in the encoder's order.
        hidden: sizes of the fully connected layers, in the decoder's order.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        latent_dim: int,
        channels: Sequence[int],
        hidden: Sequence[int],
    ) -> None:
        super().__init__()
        self.padding = padding(image_shape, len(channels))
        self.smallest = (channels[-1], *smallest_map(image_shape, len(channels)))
        self.head = fully_connected([latent_dim, *hidden, math.prod(self.smallest)])
        sizes = [*reversed(channels), image_shape[0]]
        layers: list[nn.Module] = []
        for i, o in pairwise(sizes):
            layers += [
                nn.ReLU(inplace=True),
                Upconvolution(i, o),
            ]
        self.convolutions = ConvolutionStack(*layers).to(memory_format=torch.channels_last)
        self.apply(draw_weights)

    def forward(
        self, z: Float[Tensor, "batch latent_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The likelihood's parameters of each pixel."""
        x = self.convolutions(self.head(z).unflatten(1, self.smallest))
        return F.pad(x, [-side for side in self.padding]) if any(self.padding) else x
