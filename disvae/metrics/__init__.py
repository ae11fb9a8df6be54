"""Metrics of disentanglement, on anyone's arrays of codes and factors."""

from disvae.metrics.aam import aam
from disvae.metrics.accumulate import Accumulator
from disvae.metrics.arrays import CannotComputeError, DegenerateCodesWarning, bin_factors
from disvae.metrics.beta_vae import beta_vae_score
from disvae.metrics.dci import dci
from disvae.metrics.dcimig import dcimig
from disvae.metrics.dmig import dmig
from disvae.metrics.downstream import downstream_accuracy
from disvae.metrics.error import with_error
from disvae.metrics.evaluate import evaluate
from disvae.metrics.explicitness import explicitness
from disvae.metrics.factor_vae import factor_vae_score
from disvae.metrics.infomec import infoc, infoe, infom
from disvae.metrics.irs import irs
from disvae.metrics.jemmig import jemmig
from disvae.metrics.leakage import leakage
from disvae.metrics.matching import matching_accuracy
from disvae.metrics.mig import mig
from disvae.metrics.mig_sup import mig_sup
from disvae.metrics.minimality import minimality
from disvae.metrics.model import evaluate_model
from disvae.metrics.model_centrality import model_centrality
from disvae.metrics.modularity import modularity
from disvae.metrics.posterior_aam import posterior_aam
from disvae.metrics.posterior_mig import posterior_mig
from disvae.metrics.presets import METRICS, PRESETS, preset_metrics
from disvae.metrics.sap import sap
from disvae.metrics.score import Score, Scores
from disvae.metrics.scorer import scorer
from disvae.metrics.sufficiency import sufficiency
from disvae.metrics.udr import udr
from disvae.metrics.unsupervised import (
    gaussian_total_correlation,
    mutual_information_score,
    wasserstein_correlation,
)
from disvae.metrics.xmig import xmig
from disvae.metrics.z_max_variance import z_max_variance

__all__ = [
    "METRICS",
    "PRESETS",
    "Accumulator",
    "CannotComputeError",
    "DegenerateCodesWarning",
    "Score",
    "Scores",
    "aam",
    "beta_vae_score",
    "bin_factors",
    "dci",
    "dcimig",
    "dmig",
    "downstream_accuracy",
    "evaluate",
    "evaluate_model",
    "explicitness",
    "factor_vae_score",
    "gaussian_total_correlation",
    "infoc",
    "infoe",
    "infom",
    "irs",
    "jemmig",
    "leakage",
    "matching_accuracy",
    "mig",
    "mig_sup",
    "minimality",
    "model_centrality",
    "modularity",
    "mutual_information_score",
    "posterior_aam",
    "posterior_mig",
    "preset_metrics",
    "sap",
    "scorer",
    "sufficiency",
    "udr",
    "wasserstein_correlation",
    "with_error",
    "xmig",
    "z_max_variance",
]
