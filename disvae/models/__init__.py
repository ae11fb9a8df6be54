"""Encoders, decoders and the models that they are part of: VAEs and InfoGANs."""

from disvae.models.broadcast import BroadcastDecoder, BroadcastVAE
from disvae.models.burgess import BurgessVAE
from disvae.models.card import model_card
from disvae.models.chest_mnist import ChestMNISTVAE
from disvae.models.convolutional import ConvDecoder, ConvEncoder
from disvae.models.discriminator import Discriminator
from disvae.models.disentangling_vae import load_disentangling_vae
from disvae.models.export import Exported, export_onnx, export_program
from disvae.models.fashion_mnist import FashionConvVAE, FashionMLPVAE
from disvae.models.info_gan import InfoGAN
from disvae.models.info_gan_networks import InfoGAN2DShapes, InfoGANLarge, InfoGANMNIST
from disvae.models.jha import JhaVAE
from disvae.models.kim import KimVAE
from disvae.models.latent import LatentModel, VAEOutput
from disvae.models.mixed import BurgessMixedVAE, KimMixedVAE, MixedVAE
from disvae.models.mlp import MLPVAE, MLPDecoder, MLPEncoder
from disvae.models.qlae import QLAE, BurgessQLAE, QLAEOutput
from disvae.models.residual import ResidualDecoder, ResidualEncoder, ResidualVAE
from disvae.models.vae import VAE

__all__ = [
    "BroadcastDecoder",
    "BroadcastVAE",
    "BurgessMixedVAE",
    "BurgessQLAE",
    "BurgessVAE",
    "ChestMNISTVAE",
    "ConvDecoder",
    "ConvEncoder",
    "Discriminator",
    "Exported",
    "FashionConvVAE",
    "FashionMLPVAE",
    "InfoGAN",
    "InfoGAN2DShapes",
    "InfoGANLarge",
    "InfoGANMNIST",
    "KimMixedVAE",
    "JhaVAE",
    "KimVAE",
    "LatentModel",
    "MLPDecoder",
    "MLPEncoder",
    "MLPVAE",
    "MixedVAE",
    "QLAE",
    "QLAEOutput",
    "ResidualDecoder",
    "ResidualEncoder",
    "ResidualVAE",
    "VAE",
    "VAEOutput",
    "export_onnx",
    "export_program",
    "load_disentangling_vae",
    "model_card",
]
