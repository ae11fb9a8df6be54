"""disvae: disentangled representation learning in PyTorch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from disvae.losses import (
    BetaTCVAELoss,
    BetaVAEBLoss,
    BetaVAEHLoss,
    ELBOLoss,
    FactorVAELoss,
    Loss,
    LossOutput,
    VAELoss,
)
from disvae.models import VAE, BurgessVAE, KimVAE

if TYPE_CHECKING:
    from disvae.training import Trainer

__version__ = "0.1.0"

__all__ = [
    "BetaTCVAELoss",
    "BetaVAEBLoss",
    "BetaVAEHLoss",
    "BurgessVAE",
    "ELBOLoss",
    "FactorVAELoss",
    "KimVAE",
    "Loss",
    "LossOutput",
    "Trainer",
    "VAE",
    "VAELoss",
]


def __getattr__(name: str) -> Any:
    """Import the trainer, which needs Lightning Fabric, on first use."""
    if name == "Trainer":
        return import_module("disvae.training").Trainer
    raise AttributeError(f"module 'disvae' has no attribute {name!r}")
