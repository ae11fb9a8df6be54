"""The spatial broadcast decoder: it knows where each pixel is, so that a position is one number."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.convolution_stack import ConvolutionStack
from disvae.models.convolutional import ConvEncoder, n_halvings, padding, smallest_map
from disvae.models.layers import ImageShape, draw_weights
from disvae.models.upconvolution import Upconvolution
from disvae.models.vae import VAE

DOUBLINGS = 2  # upconvolutions between the grid and the image


class Broadcast(nn.Module):
    """The code at each cell of a grid, beside the cell's coordinates, through one linear layer.

    The layer is applied to the code once and to the coordinates once, and the two are added:
    the same as a layer of both at each cell, for a fraction of the products.

    Args:
        latent_dim: size of the code.
        height: cells from top to bottom.
        width: cells from left to right.
        channels: features of a cell.
    """

    _coordinates: Tensor

    def __init__(self, latent_dim: int, height: int, width: int, channels: int) -> None:
        super().__init__()
        self.code = nn.Linear(latent_dim, channels)
        self.place = nn.Linear(2, channels, bias=False)
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
        )
        self.register_buffer("_coordinates", torch.stack([x, y], dim=-1), persistent=False)

    def forward(
        self, z: Float[Tensor, "batch latent_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The features of each cell, before their activation, in channels-last order."""
        features = self.code(z)[:, None, None] + self.place(self._coordinates)  # (b, h, w, c)
        return features.permute(0, 3, 1, 2)


class BroadcastDecoder(nn.Module):
    """A decoder whose first layer sees the code and the coordinates of each cell of a grid.

    The grid is a quarter of the image's size: a broadcast layer of ``channels``, a 1×1 convolution
    of as many, and two upconvolutions, the first of 32 channels. All but the last have ReLU. A side
    that is no multiple of 4 is cropped from the next that is.

    Args:
        image_shape: (channels, height, width).
        latent_dim: size of the code.
        channels: features of a cell.
    """

    def __init__(self, image_shape: ImageShape, latent_dim: int, channels: int = 64) -> None:
        super().__init__()
        self.padding = padding(image_shape, DOUBLINGS)
        self.cells = nn.Sequential(
            Broadcast(latent_dim, *smallest_map(image_shape, DOUBLINGS), channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, kernel_size=1),
        )
        layers = (Upconvolution(channels, 32), Upconvolution(32, image_shape[0]))
        relus = (nn.ReLU(inplace=True), nn.ReLU(inplace=True))
        self.convolutions = ConvolutionStack(relus[0], layers[0], relus[1], layers[1])
        self.to(memory_format=torch.channels_last)
        self.apply(draw_weights)

    def forward(
        self, z: Float[Tensor, "batch latent_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The likelihood's parameters of each pixel."""
        x = self.convolutions(self.cells(z))
        return F.pad(x, [-side for side in self.padding]) if any(self.padding) else x


class BroadcastVAE(VAE):
    """A VAE with Burgess et al.'s encoder and a spatial broadcast decoder.

    A decoder of upconvolutions has to learn what a shift is, and is as content with positions along
    diagonals as along the axes. This one is given the axes, and aligns positions with them even in
    a plain VAE. The paper broadcasts over all pixels. Here the grid is a quarter of the image's
    size, which costs as little as the decoder of :class:`disvae.BurgessVAE`.

    Args:
        image_shape: (channels, height, width), sides from 16 to 256.
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: an image shape outside of that.

    Reference:
        Spatial Broadcast Decoder: A Simple Architecture for Learning Disentangled Representations
        in VAEs, Watters et al. 2019, https://arxiv.org/abs/1901.07017.

    Example:
        >>> model = BroadcastVAE(image_shape=(1, 32, 32), latent_dim=10)
        >>> model(torch.rand(5, 1, 32, 32)).parameters.shape
        torch.Size([5, 1, 32, 32])
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        channels = [32] * n_halvings(image_shape)
        super().__init__(
            ConvEncoder(image_shape, 2 * latent_dim, channels, hidden=[256, 256]),
            BroadcastDecoder(image_shape, latent_dim),
            latent_dim,
            likelihood,
        )
