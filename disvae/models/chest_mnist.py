"""The network of a FactorVAE for chest X-rays of 28×28 pixels."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.layers import ImageShape, check_image_shape, check_shape, fully_connected
from disvae.models.vae import VAE

_Leaky = partial(nn.LeakyReLU, 0.2)
_Upconv = partial(nn.ConvTranspose2d, kernel_size=3, padding=1)


class ChestMNISTVAE(VAE):
    """A VAE with the network of a FactorVAE for ChestMNIST: wide, for 28×28 images only.

    Convolutions (kernel 3, replicate padding) of 128 channels with stride 2, 256 with stride 2 and
    512 with stride 1; the mean and the log-variance have fully connected layers of 256, 128 and 64
    units each of their own. The decoder: fully connected layers of 128, 256, 512 and 1024·7·7
    units, upconvolutions of 512 and 256 channels with stride 1, 128 and the image's with stride 2.
    Leaky ReLU of slope 0.2 throughout.

    BatchNorm after the last convolution and between the upconvolutions: while it trains, the
    posterior of an image depends a little on the other images of its batch. Call ``eval()`` before
    measuring anything; draws from the posterior stay random.

    The original ends in a sigmoid, of which it minimises the summed squared error. Here the decoder
    gives the likelihood's parameters like any other, and the default is a Bernoulli. The first
    weights are PyTorch's own, as in the original, not those of the other networks here: BatchNorm
    keeps the signal up, and with larger weights Adam's first steps on layers as wide as these throw
    the log-variances far off.

    Args:
        image_shape: (channels, 28, 28).
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: images of another size than 28×28.

    Reference:
        FactorVAE on ChestMNIST, Fiedler, Becker and Reidelbach 2025,
        https://github.com/3liFi/FactorVAE

    Example:
        >>> model = ChestMNISTVAE(image_shape=(1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        46509585
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 8,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        check_image_shape(image_shape)
        if tuple(image_shape[1:]) != (28, 28):
            raise ValueError(
                f"this network takes images of 28 x 28 pixels, got {image_shape[1]} x "
                f"{image_shape[2]}: resize them, or use BurgessVAE, KimVAE or ResidualVAE, which "
                "take 16 to 256 pixels a side"
            )
        super().__init__(
            _Encoder(image_shape, latent_dim),
            _decoder(image_shape[0], latent_dim),
            latent_dim,
            likelihood,
        )


class _Encoder(nn.Module):
    """Convolutions, then two separate heads for the posterior's means and log-variances."""

    def __init__(self, image_shape: ImageShape, latent_dim: int) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.convolutions = nn.Sequential(
            _convolution(image_shape[0], 128, stride=2),
            _Leaky(),
            _convolution(128, 256, stride=2),
            _Leaky(),
            _convolution(256, 512, stride=1),
            nn.BatchNorm2d(512),
            _Leaky(),
            nn.Flatten(),
        )
        sizes = [512 * 7 * 7, 256, 128, 64, latent_dim]
        self.mean = fully_connected(sizes, _Leaky)
        self.log_var = fully_connected(sizes, _Leaky)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n"]:
        check_shape(x, self.image_shape)
        features = self.convolutions(x)
        return torch.cat([self.mean(features), self.log_var(features)], dim=1)


def _convolution(i: int, o: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(i, o, kernel_size=3, stride=stride, padding=1, padding_mode="replicate")


def _decoder(n_channels: int, latent_dim: int) -> nn.Sequential:
    return nn.Sequential(
        fully_connected([latent_dim, 128, 256, 512, 1024 * 7 * 7], _Leaky),
        _Leaky(),
        nn.Unflatten(1, (1024, 7, 7)),
        _Upconv(1024, 512),
        nn.BatchNorm2d(512),
        _Leaky(),
        _Upconv(512, 256),
        nn.BatchNorm2d(256),
        _Leaky(),
        _Upconv(256, 128, stride=2, output_padding=1),
        nn.BatchNorm2d(128),
        _Leaky(),
        _Upconv(128, n_channels, stride=2, output_padding=1),
    )
