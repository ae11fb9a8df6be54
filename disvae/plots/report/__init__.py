"""Reports: one HTML file of a run, or of several beside one another."""

from disvae.plots.report.settings import ReportSettings
from disvae.plots.report.write import write_report

__all__ = ["ReportSettings", "write_report"]
