"""The network of Kim and Mnih 2018, the one of FactorVAE."""

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.convolutional import ConvDecoder, ConvEncoder, n_halvings
from disvae.models.layers import ImageShape
from disvae.models.vae import VAE


class KimVAE(VAE):
    """A VAE with the network of FactorVAE: 32, 32, 64, 64 channels and one fully connected layer.

    At 64×64: convolutions (kernel 4, stride 2) of 32, 32, 64 and 64 channels, a fully connected
    layer, ReLU; the decoder mirrors it. Other sizes from 16 to 256 follow the same rule: two
    convolutions of 32 channels, 64 in all further ones. The paper's tables print no activation
    after the encoder's fully connected layer; a ReLU stands there, as in its reimplementations,
    since two linear layers in a row would be one.

    Args:
        image_shape: (channels, height, width).
        latent_dim: number of dimensions of the code; the paper has 10, and 6 for 3D Shapes.
        hidden_dim: units of the fully connected layers: 128 for dSprites (Table 1), 256 for the
            paper's other data sets (Tables 2 and 3).
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: an image shape that the rule does not cover.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        appendix A, tables 1 to 3.

    Example:
        >>> model = KimVAE(image_shape=(3, 64, 64), latent_dim=6, hidden_dim=256)  # 3D Shapes
        >>> sum(p.numel() for p in model.parameters())
        763215
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        hidden_dim: int = 128,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        networks = kim_networks(image_shape, 2 * latent_dim, latent_dim, hidden_dim)
        super().__init__(*networks, latent_dim, likelihood)


def kim_networks(
    image_shape: ImageShape, n_outputs: int, n_inputs: int, hidden_dim: int
) -> tuple[ConvEncoder, ConvDecoder]:
    """The encoder and the decoder.

    Args:
        image_shape: (channels, height, width).
        n_outputs: numbers that the encoder gives.
        n_inputs: numbers that the decoder takes.
        hidden_dim: units of the fully connected layers.
    """
    channels = [32, 32, *[64] * (n_halvings(image_shape) - 2)]
    return (
        ConvEncoder(image_shape, n_outputs, channels, hidden=[hidden_dim]),
        ConvDecoder(image_shape, n_inputs, channels, hidden=[hidden_dim]),
    )
