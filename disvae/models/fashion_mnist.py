"""A fully connected and a convolutional network of one task, one with 5 % of the other's weights.

Both are from a public study of β-VAE on Fashion-MNIST with three latent dimensions and β < 1, in
which the convolutional one kept more detail, https://github.com/AxelNathanson/pytorch-Variational-Autoencoder.
"""

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.convolutional import ConvDecoder, ConvEncoder, n_halvings
from disvae.models.mlp import MLPDecoder, MLPEncoder
from disvae.models.vae import VAE


class FashionMLPVAE(VAE):
    """The fully connected one of a pair of networks for Fashion-MNIST.

    Hidden layers of 256, 256 and 512 units in the encoder, 256 and 512 in the decoder, ReLU. The
    decoder is not the encoder's mirror image, which sets it apart from
    :class:`~disvae.models.MLPVAE`.

    Args:
        image_shape: (channels, height, width), of any size.
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: a shape that is empty, or later images of another shape.

    Reference:
        Beta-VAE implemented in PyTorch, Nathanson,
        https://github.com/AxelNathanson/pytorch-Variational-Autoencoder

    Example:
        >>> model = FashionMLPVAE(image_shape=(1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        936214
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 3,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        super().__init__(
            MLPEncoder(image_shape, 2 * latent_dim, hidden=[256, 256, 512]),
            MLPDecoder(image_shape, latent_dim, hidden=[256, 512]),
            latent_dim,
            likelihood,
        )


class FashionConvVAE(VAE):
    """The convolutional one of a pair of networks for Fashion-MNIST: 16, 32 and 32 channels.

    At 28×28, padded to 32×32: three convolutions of stride 2 and no hidden layer between them and
    the code; the decoder mirrors it. Other sizes from 16 to 256 follow the same rule: 16 channels
    in the first convolution, 32 in all further ones.

    The channels and the code are the original's. Its kernels are of size 3, with leaky ReLU, and
    its decoder passes through maps of 15 and 29 pixels, which a fourth convolution cuts to 28. Here
    the kernels are of size 4, with ReLU, as :mod:`disvae.models.convolutional` has them for any
    image size.

    Args:
        image_shape: (channels, height, width).
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: an image shape that the rule does not cover.

    Reference:
        Beta-VAE implemented in PyTorch, Nathanson,
        https://github.com/AxelNathanson/pytorch-Variational-Autoencoder

    Example:
        >>> model = FashionConvVAE(image_shape=(1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        54919
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 3,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        channels = [16, *[32] * (n_halvings(image_shape) - 1)]
        super().__init__(
            ConvEncoder(image_shape, 2 * latent_dim, channels, hidden=[]),
            ConvDecoder(image_shape, latent_dim, channels, hidden=[]),
            latent_dim,
            likelihood,
        )
