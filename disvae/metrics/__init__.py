"""Metrics of disentanglement, on anyone's arrays of codes and factors."""

from disvae.metrics.arrays import DegenerateCodesWarning
from disvae.metrics.evaluate import evaluate
from disvae.metrics.factor_vae import factor_vae_score
from disvae.metrics.mig import mig
from disvae.metrics.score import Score, Scores

__all__ = [
    "DegenerateCodesWarning",
    "Score",
    "Scores",
    "evaluate",
    "factor_vae_score",
    "mig",
]
