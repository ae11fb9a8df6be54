"""Fully connected networks, for images of any shape."""

import math
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.layers import (
    ImageShape,
    check_image_shape,
    check_shape,
    draw_weights,
    fully_connected,
)
from disvae.models.vae import VAE


class MLPEncoder(nn.Module):
    """Fully connected layers on the pixels of an image, with ReLU between them.

    Args:
        image_shape: (channels, height, width), of any size.
        n_outputs: size of the output; 2·latent_dim for a Gaussian posterior.
        hidden: sizes of the hidden layers.

    Raises:
        ValueError: a shape or a layer that is empty, or later images of another shape.
    """

    def __init__(self, image_shape: ImageShape, n_outputs: int, hidden: Sequence[int]) -> None:
        super().__init__()
        check_image_shape(image_shape)
        self.image_shape = image_shape
        self.layers = fully_connected([math.prod(image_shape), *hidden, n_outputs])
        self.apply(draw_weights)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n"]:
        """The features of each image."""
        check_shape(x, self.image_shape)
        return self.layers(x.flatten(1))


class MLPDecoder(nn.Module):
    """Fully connected layers from codes to the pixels of an image, with ReLU between them.

    The last layer has no activation: its output are the likelihood's parameters.

    Args:
        image_shape: (channels, height, width), of any size.
        latent_dim: size of the code.
        hidden: sizes of the hidden layers, in the decoder's order.

    Raises:
        ValueError: a shape or a layer that is empty.
    """

    def __init__(self, image_shape: ImageShape, latent_dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        check_image_shape(image_shape)
        self.image_shape = image_shape
        self.layers = fully_connected([latent_dim, *hidden, math.prod(image_shape)])
        self.apply(draw_weights)

    def forward(
        self, z: Float[Tensor, "batch latent_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The likelihood's parameters of each pixel."""
        return self.layers(z).unflatten(1, self.image_shape)


class MLPVAE(VAE):
    """A VAE of fully connected layers, for images of any shape.

    Hidden layers of 512 and 256 units with ReLU; the decoder has them in the opposite order. It
    knows nothing of neighbouring pixels, so that most of its parameters are in the first and the
    last layer and grow with the image.

    Args:
        image_shape: (channels, height, width), of any size.
        latent_dim: number of dimensions of the code.
        hidden: sizes of the encoder's hidden layers, mirrored in the decoder; none of them makes
            both linear.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: a shape or a layer that is empty, or later images of another shape.

    Reference:
        The kind of network of Auto-Encoding Variational Bayes, Kingma and Welling 2014,
        https://arxiv.org/abs/1312.6114, appendix C; the sizes are ours.

    Example:
        >>> model = MLPVAE(image_shape=(1, 28, 28), latent_dim=10)
        >>> sum(p.numel() for p in model.parameters())
        1074980
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        hidden: Sequence[int] = (512, 256),
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        super().__init__(
            MLPEncoder(image_shape, 2 * latent_dim, hidden),
            MLPDecoder(image_shape, latent_dim, hidden[::-1]),
            latent_dim,
            likelihood,
        )
