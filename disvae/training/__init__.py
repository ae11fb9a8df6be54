"""Training: the loop, the run directory that it leaves, and what reads such a directory again."""

from disvae.training.encode import encode_dataset, load_images
from disvae.training.run import Run, load_run
from disvae.training.trainer import Trainer

__all__ = ["Run", "Trainer", "encode_dataset", "load_images", "load_run"]
