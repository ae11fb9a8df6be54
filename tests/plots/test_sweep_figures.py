import statistics

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from disvae.plots import SweepRecord, tradeoff_figure, weights_figure

SCORE = "FactorVAE score"


def make_records() -> list[SweepRecord]:
    """Three seeds of two losses, at two and three weights, and one plain VAE."""
    rng = np.random.default_rng(0)
    records = []
    for loss, symbol, weights in (
        ("BetaVAEHLoss", "beta", (4.0, 1.0)),
        ("FactorVAELoss", "gamma", (1.0, 10.0, 35.0)),
    ):
        for weight in weights:
            for seed in range(3):
                scores = {SCORE: rng.uniform(), "MIG": rng.uniform()}
                cost = rng.uniform(40, 50)
                records.append(SweepRecord(loss, weight, cost, scores, symbol, seed))
    return records


def mean(records, loss, weight, quantity) -> tuple[float, float]:
    """The mean and the standard deviation, the slow way."""
    values = [
        r.reconstruction if quantity == "reconstruction" else r.scores[quantity]
        for r in records
        if r.loss == loss and r.weight == weight
    ]
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def test_points_are_means_over_seeds_in_the_order_of_their_weights():
    records = make_records()
    axes = tradeoff_figure(records).axes[0]
    beta, factor = axes.containers
    for container, loss, weights in (
        (beta, "BetaVAEHLoss", [1.0, 4.0]),
        (factor, "FactorVAELoss", [1.0, 10.0, 35.0]),
    ):
        x, y = container.lines[0].get_data()
        np.testing.assert_allclose(
            x, [mean(records, loss, w, "reconstruction")[0] for w in weights]
        )
        np.testing.assert_allclose(y, [mean(records, loss, w, SCORE)[0] for w in weights])
    assert [text.get_text() for text in axes.texts] == ["1", "4", "1", "10", "35"]
    assert axes.texts[1].xy == pytest.approx([a[1] for a in beta.lines[0].get_data()])
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["BetaVAEH, β", "FactorVAE, γ"]


def test_bars_are_standard_deviations_over_seeds():
    records = make_records()
    bars = tradeoff_figure(records, "MIG").axes[0].containers[0].lines[2]
    across, up = (np.array(part.get_segments()) for part in bars)
    for i, weight in enumerate([1.0, 4.0]):
        centre, spread = mean(records, "BetaVAEHLoss", weight, "reconstruction")
        assert across[i, :, 0] == pytest.approx([centre - spread, centre + spread])
        centre, spread = mean(records, "BetaVAEHLoss", weight, "MIG")
        assert up[i, :, 1] == pytest.approx([centre - spread, centre + spread])
    assert all(isinstance(part, LineCollection) for part in bars)


def test_a_loss_without_a_weight_is_a_point_without_a_number():
    axes = tradeoff_figure([SweepRecord("VAELoss", None, 40.0, {SCORE: 0.5})]).axes[0]
    assert axes.containers[0].lines[0].get_xydata().tolist() == [[40.0, 0.5]]
    assert len(axes.texts) == 0
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["VAE"]


def test_rows_over_the_weight_show_every_run_and_their_mean():
    records = make_records()
    figure = weights_figure(records, [SCORE, "MIG"])
    panels = np.array(figure.axes).reshape(3, 2)
    for row, quantity in zip(panels, ["reconstruction", SCORE, "MIG"], strict=True):
        for axes, loss, weights in zip(
            row,
            ("BetaVAEHLoss", "FactorVAELoss"),
            ([1.0, 4.0], [1.0, 10.0, 35.0]),
            strict=True,
        ):
            line, *dots = axes.lines
            stats = [mean(records, loss, w, quantity) for w in weights]
            assert line.get_xdata().tolist() == weights
            np.testing.assert_allclose(line.get_ydata(), [m for m, _ in stats])
            band = axes.collections[0].get_paths()[0].vertices[:, 1]
            assert band.min() == pytest.approx(min(m - s for m, s in stats))
            assert band.max() == pytest.approx(max(m + s for m, s in stats))
            assert [len(d.get_ydata()) for d in dots] == [3] * len(weights)
    assert [axes.get_title(loc="left") for axes in panels[0]] == ["BetaVAEH", "FactorVAE"]
    assert [axes.get_xlabel() for axes in panels[-1]] == ["β", "γ"]
    assert [axes.get_ylabel() for axes in panels[:, 0]] == ["reconstruction error", SCORE, "MIG"]
    assert panels[0, 0].get_ylim() == panels[0, 1].get_ylim()


def test_what_was_not_measured_is_named():
    with pytest.raises(ValueError, match="has 'SAP': there are FactorVAE score, MIG"):
        tradeoff_figure(make_records(), "SAP")
    with pytest.raises(ValueError, match="has 'SAP'"):
        weights_figure(make_records(), ["SAP"])
    with pytest.raises(ValueError, match="VAELoss has no weight"):
        weights_figure([SweepRecord("VAELoss", None, 40.0, {SCORE: 0.5})])
