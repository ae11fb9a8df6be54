"""Objectives: each weighs the reconstruction and the three terms of the KL in its own way."""

from disvae.losses.base import ELBOLoss, Loss, LossOutput
from disvae.losses.beta_tcvae import BetaTCVAELoss
from disvae.losses.beta_vae import BetaVAEBLoss, BetaVAEHLoss
from disvae.losses.dip_vae import DIPVAELoss
from disvae.losses.factor_vae import FactorVAELoss
from disvae.losses.vae import VAELoss

__all__ = [
    "BetaTCVAELoss",
    "BetaVAEBLoss",
    "BetaVAEHLoss",
    "DIPVAELoss",
    "ELBOLoss",
    "FactorVAELoss",
    "Loss",
    "LossOutput",
    "VAELoss",
]
