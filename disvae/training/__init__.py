"""Training: the loop, the run directory that it leaves, and what reads such a directory again."""

from disvae.data.encode import encode_dataset, encode_posteriors
from disvae.training.ensemble import train_ensemble
from disvae.training.evidence import (
    Evidence,
    Reconstruction,
    elbo,
    importance_weighted_bound,
    reconstruction,
)
from disvae.training.imported import import_model
from disvae.training.log import read_log
from disvae.training.measure import decompose_dataset
from disvae.training.names import read_dimension_names, write_dimension_names
from disvae.training.run import Run, load_run
from disvae.training.trainer import Trainer

__all__ = [
    "Evidence",
    "Reconstruction",
    "Run",
    "Trainer",
    "decompose_dataset",
    "elbo",
    "encode_dataset",
    "encode_posteriors",
    "import_model",
    "importance_weighted_bound",
    "load_run",
    "read_dimension_names",
    "read_log",
    "reconstruction",
    "train_ensemble",
    "write_dimension_names",
]
