import pytest

from disvae.metrics import METRICS
from disvae.plots import ReportSettings
from disvae.plots.report.settings import USUAL_METRICS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"points": 1}, "points must be at least 2, got 1"),
        ({"n_codes": -1}, "n_codes must be at least 0, got -1"),
        ({"n_frames": 1}, "n_frames must be at least 2, got 1"),
        ({"repeats": 1}, "repeats must be 0 or 2 at least, got 1"),
        ({"reach": 0.0}, "reach must be above 0, got 0.0"),
        ({"images": []}, "images must name one image at least"),
    ],
)
def test_numbers_out_of_range_are_refused(given, expected):
    with pytest.raises(ValueError, match=expected):
        ReportSettings(**given)


def test_the_usual_metrics_exist():
    assert set(USUAL_METRICS) <= set(METRICS)
