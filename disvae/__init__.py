"""disvae: disentangled representation learning in PyTorch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from disvae.version import __version__ as __version__

if TYPE_CHECKING:
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
    from disvae.pretrained import load_pretrained
    from disvae.training import Trainer

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
    "load_pretrained",
]

_HOMES = {
    "VAE": "models",
    "BurgessVAE": "models",
    "KimVAE": "models",
    "Trainer": "training",
    "load_pretrained": "pretrained",
}


def __getattr__(name: str) -> Any:
    """Find a public name where it lives, on first use: so `import disvae` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'disvae' has no attribute {name!r}")
    value = getattr(import_module(f"disvae.{_HOMES.get(name, 'losses')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, whether they have been used yet or not."""
    return sorted({*globals(), *__all__})
