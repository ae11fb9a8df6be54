"""Objectives: each weighs the reconstruction and the three terms of the KL in its own way."""

from disvae.losses.aae import AAELoss
from disvae.losses.base import ELBOLoss, Loss, LossOutput, UnsuitableError
from disvae.losses.beta_tcvae import BetaTCVAELoss
from disvae.losses.beta_vae import BetaVAEBLoss, BetaVAEHLoss, BetaVAEScaledLoss
from disvae.losses.cycle_consistent import CycleConsistentLoss
from disvae.losses.decomposed import Decomposed
from disvae.losses.dip_vae import DIPVAELoss
from disvae.losses.factor_vae import FactorVAELoss, FactorVAEPriorLoss
from disvae.losses.few_labels import FewLabelsLoss
from disvae.losses.group_vae import AdaGVAELoss, AdaMLVAELoss, GVAELoss, MLVAELoss
from disvae.losses.hfs import HFSLoss
from disvae.losses.info_gan import InfoGANLoss, InfoWGANGPLoss
from disvae.losses.info_vae import InfoVAELoss
from disvae.losses.joint_vae import JointVAELoss
from disvae.losses.qlae import QLAELoss
from disvae.losses.vae import VAELoss
from disvae.losses.weighted import WeightedLoss

__all__ = [
    "AAELoss",
    "AdaGVAELoss",
    "AdaMLVAELoss",
    "BetaTCVAELoss",
    "BetaVAEBLoss",
    "BetaVAEHLoss",
    "BetaVAEScaledLoss",
    "CycleConsistentLoss",
    "DIPVAELoss",
    "Decomposed",
    "ELBOLoss",
    "FactorVAELoss",
    "FactorVAEPriorLoss",
    "FewLabelsLoss",
    "GVAELoss",
    "HFSLoss",
    "InfoGANLoss",
    "InfoVAELoss",
    "InfoWGANGPLoss",
    "JointVAELoss",
    "Loss",
    "LossOutput",
    "MLVAELoss",
    "QLAELoss",
    "UnsuitableError",
    "VAELoss",
    "WeightedLoss",
]
