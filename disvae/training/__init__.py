"""Training: the loop, the run directory that it leaves, and what reads such a directory again."""

from disvae.training.encode import encode_dataset, load_images
from disvae.training.evidence import Evidence, elbo, importance_weighted_bound
from disvae.training.run import Run, load_run
from disvae.training.trainer import Trainer

__all__ = [
    "Evidence",
    "Run",
    "Trainer",
    "elbo",
    "encode_dataset",
    "importance_weighted_bound",
    "load_images",
    "load_run",
]
