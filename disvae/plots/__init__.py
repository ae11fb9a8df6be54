"""Pictures of what a model has learned: functions that return tensors and matplotlib figures."""

from disvae.plots.dataset import dataset_figure
from disvae.plots.metrics import (
    importance_figure,
    information_figure,
    latents_figure,
    summary_figure,
)
from disvae.plots.reconstructions import reconstruction_figure
from disvae.plots.report import ReportSettings, write_report
from disvae.plots.traversals import mean_kl, traversal_figure, traverse

__all__ = [
    "ReportSettings",
    "dataset_figure",
    "importance_figure",
    "information_figure",
    "latents_figure",
    "mean_kl",
    "reconstruction_figure",
    "summary_figure",
    "traversal_figure",
    "traverse",
    "write_report",
]
