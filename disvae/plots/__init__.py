"""Pictures of what a model has learned: functions that return tensors and matplotlib figures."""

from disvae.plots.animation import Animation
from disvae.plots.choice import choose_images
from disvae.plots.dataset import dataset_figure
from disvae.plots.dimensions import Dimensions, describe_dimensions
from disvae.plots.errors import NotApplicableError
from disvae.plots.films import training_animation, traversal_animation
from disvae.plots.images import images_figure
from disvae.plots.interpolation import interpolate, interpolation_figure
from disvae.plots.metrics import (
    importance_figure,
    information_figure,
    latents_figure,
    summary_figure,
)
from disvae.plots.reconstruct_traverse import reconstruct_traverse_figure
from disvae.plots.reconstructions import reconstruction_figure
from disvae.plots.report import ReportSettings, write_report
from disvae.plots.traversals import (
    mean_kl,
    traversal_figure,
    traversal_values,
    traverse,
)

__all__ = [
    "Animation",
    "Dimensions",
    "NotApplicableError",
    "ReportSettings",
    "choose_images",
    "dataset_figure",
    "describe_dimensions",
    "images_figure",
    "importance_figure",
    "information_figure",
    "interpolate",
    "interpolation_figure",
    "latents_figure",
    "mean_kl",
    "reconstruct_traverse_figure",
    "reconstruction_figure",
    "summary_figure",
    "training_animation",
    "traversal_animation",
    "traversal_figure",
    "traversal_values",
    "traverse",
    "write_report",
]
