"""Pictures of what a model has learned: functions that return tensors and matplotlib figures."""

from disvae.plots.animation import Animation
from disvae.plots.choice import choose_images
from disvae.plots.curves import curves_figure
from disvae.plots.dataset import dataset_figure
from disvae.plots.dimensions import Dimensions, describe_dimensions, describe_run
from disvae.plots.embedding import embed, embedding_figure
from disvae.plots.errors import NotApplicableError
from disvae.plots.factor_maps import factor_map_figure, mean_codes
from disvae.plots.films import training_animation, traversal_animation
from disvae.plots.histograms import histogram_figure
from disvae.plots.history import score_history
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
from disvae.plots.swaps import swap, swap_figure
from disvae.plots.sweep import SweepRecord, read_sweep
from disvae.plots.sweep_figures import tradeoff_figure, weights_figure
from disvae.plots.traversals import (
    mean_kl,
    traversal_figure,
    traversal_values,
    traverse,
)
from disvae.plots.variations import variations_figure, vary

__all__ = [
    "Animation",
    "Dimensions",
    "NotApplicableError",
    "ReportSettings",
    "SweepRecord",
    "choose_images",
    "curves_figure",
    "dataset_figure",
    "describe_dimensions",
    "describe_run",
    "embed",
    "embedding_figure",
    "factor_map_figure",
    "histogram_figure",
    "images_figure",
    "importance_figure",
    "information_figure",
    "interpolate",
    "interpolation_figure",
    "latents_figure",
    "mean_codes",
    "mean_kl",
    "read_sweep",
    "reconstruct_traverse_figure",
    "reconstruction_figure",
    "score_history",
    "summary_figure",
    "swap",
    "swap_figure",
    "tradeoff_figure",
    "training_animation",
    "traversal_animation",
    "traversal_figure",
    "traversal_values",
    "traverse",
    "weights_figure",
    "write_report",
    "variations_figure",
    "vary",
]
