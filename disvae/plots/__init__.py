"""Pictures of what a model has learned: functions that return tensors and matplotlib figures."""

from disvae.plots.curves import curves_figure
from disvae.plots.dataset import dataset_figure
from disvae.plots.embedding import embed, embedding_figure
from disvae.plots.factor_maps import factor_map_figure, mean_codes
from disvae.plots.histograms import histogram_figure
from disvae.plots.metrics import (
    importance_figure,
    information_figure,
    latents_figure,
    summary_figure,
)
from disvae.plots.reconstructions import reconstruction_figure
from disvae.plots.swaps import swap, swap_figure
from disvae.plots.sweep import SweepRecord, read_sweep
from disvae.plots.sweep_figures import tradeoff_figure, weights_figure
from disvae.plots.traversals import mean_kl, traversal_figure, traverse

__all__ = [
    "SweepRecord",
    "curves_figure",
    "dataset_figure",
    "embed",
    "embedding_figure",
    "factor_map_figure",
    "histogram_figure",
    "importance_figure",
    "information_figure",
    "latents_figure",
    "mean_codes",
    "mean_kl",
    "read_sweep",
    "reconstruction_figure",
    "summary_figure",
    "swap",
    "swap_figure",
    "tradeoff_figure",
    "traversal_figure",
    "traverse",
    "weights_figure",
]
