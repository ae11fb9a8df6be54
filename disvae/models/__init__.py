"""Encoders, decoders and the variational autoencoder that joins them."""

from disvae.models.burgess import BurgessVAE
from disvae.models.chest_mnist import ChestMNISTVAE
from disvae.models.convolutional import ConvDecoder, ConvEncoder
from disvae.models.discriminator import Discriminator
from disvae.models.fashion_mnist import FashionConvVAE, FashionMLPVAE
from disvae.models.kim import KimVAE
from disvae.models.mlp import MLPVAE, MLPDecoder, MLPEncoder
from disvae.models.residual import ResidualDecoder, ResidualEncoder, ResidualVAE
from disvae.models.vae import VAE, VAEOutput

__all__ = [
    "BurgessVAE",
    "ChestMNISTVAE",
    "ConvDecoder",
    "ConvEncoder",
    "Discriminator",
    "FashionConvVAE",
    "FashionMLPVAE",
    "KimVAE",
    "MLPDecoder",
    "MLPEncoder",
    "MLPVAE",
    "ResidualDecoder",
    "ResidualEncoder",
    "ResidualVAE",
    "VAE",
    "VAEOutput",
]
