"""The network of the cycle-consistent variational autoencoder, for MNIST."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.layers import ImageShape, check_image_shape, check_shape, draw_weights
from disvae.models.vae import VAE


class JhaVAE(VAE):
    """A VAE with the network of Jha et al. for MNIST: small, and with two parts of the code.

    Three convolutions (kernel 5, stride 2) of 16, 32 and 64 channels with instance normalisation,
    and one linear layer from their 256 features to the code. The decoder has a layer of 256 units
    for each part of the code, which together are 128 maps of 2×2, and three transposed convolutions
    (kernel 4, stride 2) to 32 and 16 channels and to those of the image. ReLU; in the decoder leaky
    ReLU of slope 0.2.

    The original keeps running statistics for its normalisation, with which it computes another
    function in evaluation than in training. Here each image is normalised by itself in both.

    Args:
        image_shape: (channels, 28, 28), the only size that the layers fit.
        latent_dim: number of dimensions of the code, 16 of either part in the paper.
        specified: how many of them, the last ones, are the specified part; half of them if None.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: another image size, or a part without dimensions.

    Reference:
        Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders, Jha et
        al. 2018, https://arxiv.org/abs/1804.10469, and its code,
        https://github.com/ananyahjha93/cycle-consistent-vae

    Example:
        >>> model = JhaVAE((1, 28, 28))
        >>> sum(p.numel() for p in model.parameters())
        163697
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 32,
        specified: int | None = None,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        check_image_shape(image_shape)
        if tuple(image_shape[1:]) != (28, 28):
            raise ValueError(f"expected image_shape = (channels, 28, 28), got {image_shape}")
        part = latent_dim // 2 if specified is None else specified
        if not 1 <= part < latent_dim:
            raise ValueError(
                "both parts of the code need a dimension: expected 1 <= specified < latent_dim, "
                f"got {part} of {latent_dim}"
            )
        super().__init__(
            _Encoder(image_shape, 2 * latent_dim),
            _Decoder(image_shape, latent_dim - part, part),
            latent_dim,
            likelihood,
        )


class _Encoder(nn.Sequential):
    def __init__(self, image_shape: ImageShape, n_outputs: int) -> None:
        layers: list[nn.Module] = []
        for i, o in ((image_shape[0], 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(i, o, 5, 2, 1), nn.InstanceNorm2d(o), nn.ReLU(inplace=True)]
        super().__init__(*layers, nn.Flatten(), nn.Linear(256, n_outputs))
        self.image_shape = image_shape
        self.apply(draw_weights)

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n"]:
        check_shape(x, self.image_shape)
        outputs: Tensor = super().forward(x)
        return outputs


class _Decoder(nn.Module):
    def __init__(self, image_shape: ImageShape, unspecified: int, specified: int) -> None:
        super().__init__()
        self.parts = [unspecified, specified]
        self.inputs = nn.ModuleList(nn.Linear(part, 256) for part in self.parts)
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2, inplace=True),
            nn.Unflatten(1, (128, 2, 2)),
            nn.ConvTranspose2d(128, 32, 4, 2),
            nn.InstanceNorm2d(32),
            nn.LeakyReLU(0.2, inplace=True),
            nn.ConvTranspose2d(32, 16, 4, 2),
            nn.InstanceNorm2d(16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.ConvTranspose2d(16, image_shape[0], 4, 2, 1),
        )
        self.apply(draw_weights)

    def forward(
        self, z: Float[Tensor, "batch latent_dim"]
    ) -> Float[Tensor, "batch channels height width"]:
        parts = zip(self.inputs, z.split(self.parts, dim=1), strict=True)
        images: Tensor = self.layers(torch.cat([layer(part) for layer, part in parts], dim=1))
        return images
