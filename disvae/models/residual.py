"""A residual network without normalisation, for images of any size from 16 to 256.

It halves and pads the image by the rule of :mod:`disvae.models.convolutional`.
"""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.convolutional import n_halvings, padding, smallest_map
from disvae.models.layers import ImageShape, check_shape, draw_weights, fully_connected
from disvae.models.vae import VAE

Images = Float[Tensor, "batch channels height width"]


class ResidualVAE(VAE):
    """A VAE with residual networks: deeper than the field's own, for images of more detail.

    The encoder is a convolution, then average pooling and a residual block as many times as the
    image is halved, then one linear layer. The blocks have ``width``, 2·``width`` and from the
    third on 4·``width`` channels. The decoder mirrors it with nearest-neighbour upsampling.

    A block adds two convolutions (kernel 3), each after a ReLU, to its input. There is no
    normalisation: an image's posterior depends on no other image, and ``eval()`` changes nothing.
    The sums stay in scale because the second convolution of each block starts with weights divided
    by the square root of the number of blocks.

    Args:
        image_shape: (channels, height, width).
        latent_dim: number of dimensions of the code.
        width: channels of the first block.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: an image shape that the rule does not cover, or a width below 1.

    Reference:
        The blocks: Identity Mappings in Deep Residual Networks, He et al. 2016,
        https://arxiv.org/abs/1603.05027. Scaled first weights in place of normalisation, pooling
        and upsampling: Very Deep VAEs Generalize Autoregressive Models, Child 2021,
        https://arxiv.org/abs/2011.10650. The sizes are ours.

    Example:
        >>> model = ResidualVAE(image_shape=(1, 64, 64), latent_dim=10)
        >>> sum(p.numel() for p in model.parameters())
        1127509
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        width: int = 32,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        super().__init__(
            ResidualEncoder(image_shape, 2 * latent_dim, width),
            ResidualDecoder(image_shape, latent_dim, width),
            latent_dim,
            likelihood,
        )


class ResidualEncoder(nn.Module):
    """A convolution, average poolings with a residual block after each, then a linear layer.

    Args:
        image_shape: (channels, height, width).
        n_outputs: size of the output; 2·latent_dim for a Gaussian posterior.
        width: channels of the first block.

    Raises:
        ValueError: an image shape that the rule does not cover, a width below 1, or later images of
            another shape.
    """

    def __init__(self, image_shape: ImageShape, n_outputs: int, width: int = 32) -> None:
        super().__init__()
        channels = _channels(image_shape, width)
        self.image_shape = image_shape
        self.padding = padding(image_shape, len(channels))
        layers: list[nn.Module] = [nn.Conv2d(image_shape[0], width, kernel_size=3, padding=1)]
        for i, o in pairwise([width, *channels]):
            layers += [nn.AvgPool2d(2), ResidualBlock(i, o)]
        self.blocks = nn.Sequential(*layers, nn.ReLU(), nn.Flatten())
        n_features = channels[-1] * math.prod(smallest_map(image_shape, len(channels)))
        self.head = fully_connected([n_features, n_outputs])
        _draw_weights(self, len(channels))

    def forward(self, x: Images) -> Float[Tensor, "batch n"]:
        """The features of each image."""
        check_shape(x, self.image_shape)
        return self.head(self.blocks(F.pad(x, self.padding)))


class ResidualDecoder(nn.Module):
    """The encoder's mirror image: a linear layer, residual blocks with upsampling after each.

    The last convolution has no activation: its output are the likelihood's parameters.

    Args:
        image_shape: (channels, height, width).
        latent_dim: size of the code.
        width: channels of the last block.

    Raises:
        ValueError: an image shape that the rule does not cover, or a width below 1.
    """

    def __init__(self, image_shape: ImageShape, latent_dim: int, width: int = 32) -> None:
        super().__init__()
        channels = _channels(image_shape, width)
        self.padding = padding(image_shape, len(channels))
        smallest = (channels[-1], *smallest_map(image_shape, len(channels)))
        self.head = fully_connected([latent_dim, math.prod(smallest)])
        layers: list[nn.Module] = [nn.Unflatten(1, smallest)]
        for i, o in pairwise([*reversed(channels), width]):
            layers += [ResidualBlock(i, o), nn.Upsample(scale_factor=2, mode="nearest")]
        last = nn.Conv2d(width, image_shape[0], kernel_size=3, padding=1)
        self.blocks = nn.Sequential(*layers, nn.ReLU(), last)
        _draw_weights(self, len(channels))

    def forward(self, z: Float[Tensor, "batch latent_dim"]) -> Images:
        """The likelihood's parameters of each pixel."""
        return F.pad(self.blocks(self.head(z)), [-side for side in self.padding])


class ResidualBlock(nn.Module):
    """The input, plus two convolutions of it, each after a ReLU.

    Args:
        i: channels of the input.
        o: channels of the output; a 1×1 convolution takes the input there if they differ.
    """

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(i, o, kernel_size=3, padding=1)
        self.second = nn.Conv2d(o, o, kernel_size=3, padding=1)
        self.shortcut = nn.Identity() if i == o else nn.Conv2d(i, o, kernel_size=1)

    def forward(
        self, x: Float[Tensor, "batch i height width"]
    ) -> Float[Tensor, "batch o height width"]:
        """The maps of each image, of the same height and width."""
        return self.shortcut(x) + self.second(F.relu(self.first(F.relu(x))))


def _channels(image_shape: ImageShape, width: int) -> list[int]:
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    return [width * min(2**i, 4) for i in range(n_halvings(image_shape))]


def _draw_weights(network: nn.Module, n_blocks: int) -> None:
    network.apply(draw_weights).to(memory_format=torch.channels_last)  # faster on a CPU
    for block in network.modules():
        if isinstance(block, ResidualBlock):
            with torch.no_grad():
                block.second.weight /= math.sqrt(n_blocks)
            if isinstance(block.shortcut, nn.Conv2d):  # no ReLU before it: no gain for one
                nn.init.kaiming_uniform_(block.shortcut.weight, nonlinearity="linear")
