"""Encoders, decoders and the variational autoencoder that joins them."""

from disvae.models.burgess import BurgessVAE
from disvae.models.convolutional import ConvDecoder, ConvEncoder
from disvae.models.discriminator import Discriminator
from disvae.models.kim import KimVAE
from disvae.models.vae import VAE, VAEOutput

__all__ = [
    "BurgessVAE",
    "ConvDecoder",
    "ConvEncoder",
    "Discriminator",
    "KimVAE",
    "VAE",
    "VAEOutput",
]
