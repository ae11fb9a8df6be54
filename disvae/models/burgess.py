"""The network of Burgess et al. 2018, the usual one for β-VAE."""

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.convolutional import ConvDecoder, ConvEncoder, n_halvings
from disvae.models.layers import ImageShape
from disvae.models.vae import VAE


class BurgessVAE(VAE):
    """A VAE with the network of Burgess et al.: 32 channels throughout, two layers of 256 units.

    At 64×64: four convolutions (kernel 4, stride 2) of 32 channels, fully connected layers of 256
    and 256 units, ReLU; the decoder mirrors it. Other sizes from 16 to 256 follow the same rule
    (:mod:`disvae.models.convolutional`); 28×28 is padded to 32×32.

    Args:
        image_shape: (channels, height, width).
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: an image shape that the rule does not cover.

    Reference:
        Understanding disentangling in β-VAE, Burgess et al. 2018,
        https://arxiv.org/abs/1804.03599, appendix A.1.

    Example:
        >>> model = BurgessVAE(image_shape=(1, 64, 64), latent_dim=10)
        >>> sum(p.numel() for p in model.parameters())
        502005
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        super().__init__(
            *burgess_networks(image_shape, 2 * latent_dim, latent_dim), latent_dim, likelihood
        )


def burgess_networks(
    image_shape: ImageShape, n_outputs: int, n_inputs: int
) -> tuple[ConvEncoder, ConvDecoder]:
    """The encoder and the decoder.

    Args:
        image_shape: (channels, height, width).
        n_outputs: numbers that the encoder gives.
        n_inputs: numbers that the decoder takes.
    """
    channels = [32] * n_halvings(image_shape)
    return (
        ConvEncoder(image_shape, n_outputs, channels, hidden=[256, 256]),
        ConvDecoder(image_shape, n_inputs, channels, hidden=[256, 256]),
    )
