"""Figures of metrics: that they show the numbers they are of."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from disvae.metrics import Score, Scores, dci, evaluate, irs, mig, posterior_mig
from disvae.plots import importance_figure, information_figure, latents_figure, summary_figure

NAMES = ["shape", "position_x"]


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    v = rng.integers(0, [3, 4], size=(300, 2))
    z = np.concatenate([v + 0.3 * rng.normal(size=v.shape), rng.normal(size=(300, 1))], axis=1)
    return z, v


def test_information_is_that_of_the_score(arrays) -> None:
    z, v = arrays
    for score in (mig(z, v, names=NAMES), posterior_mig((z, np.ones_like(z)), v, names=NAMES)):
        figure = information_figure(score)
        axes = figure.axes[0]
        share = np.array(score.details["mutual_information"]) / np.array(
            score.details["entropy"]
        ).reshape(-1, 1)
        np.testing.assert_allclose(axes.images[0].get_array(), share)
        assert [text.get_text() for text in axes.texts] == [f"{x:.2f}" for x in share.ravel()]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["shape", "position x"]
    with pytest.raises(ValueError, match="details of IRS have no mutual information"):
        information_figure(irs(z, v))


def test_areas_are_importances(arrays) -> None:
    score = dci(*arrays, names=NAMES)
    figure = importance_figure(score)
    table = np.array(score.details["importance"]).T
    areas = np.array([patch.get_width() ** 2 for patch in figure.axes[0].patches])
    np.testing.assert_allclose(areas.reshape(2, 3), 0.92**2 * table / table.max())
    centres = [patch.get_center() for patch in figure.axes[0].patches]
    np.testing.assert_allclose(centres, [(j, k) for k in range(2) for j in range(3)], atol=1e-9)
    with pytest.raises(ValueError, match="details of MIG have no importances"):
        importance_figure(mig(*arrays))


def test_latents_show_the_mean_at_each_value(arrays) -> None:
    z, v = arrays
    figure = latents_figure(z, v, NAMES, dimensions=[2, 0])
    assert len(figure.axes) == 4
    mean = figure.axes[3].lines[1]  # dimension 0 against the second factor
    assert mean.get_xdata().tolist() == [0, 1, 2, 3]
    assert mean.get_ydata() == pytest.approx([z[v[:, 1] == x, 0].mean() for x in range(4)])
    assert figure.axes[2].get_ylabel() == "$z_{0}$"
    assert figure.axes[3].get_xlabel() == "position x"
    for wrong in ([], [3]):
        with pytest.raises(ValueError, match="expected dimensions from 0 to 2"):
            latents_figure(z, v, dimensions=wrong)


def test_labels_of_latents_are_aligned_whatever_the_numbers_beside_them(arrays) -> None:
    z, v = arrays
    figure = latents_figure(z * [1, 1e3, 1e-2], v, NAMES)
    figure.draw_without_rendering()
    labels = [axes.yaxis.label.get_window_extent() for axes in figure.axes[::2]]
    assert [label.x1 for label in labels] == pytest.approx([labels[0].x1] * 3)
    assert all(label.x0 >= 0 for label in labels)


def test_bars_and_intervals(arrays) -> None:
    chosen = ["MIG", "modularity"]
    scores = evaluate(*arrays, metrics=chosen, repeats=3)
    axes = summary_figure(scores).axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(
        [*map(float, scores.values())]
    )
    assert [label.get_text() for label in axes.get_yticklabels()] == chosen
    interval = next(c for c in axes.collections if isinstance(c, LineCollection))
    for (low, high), score in zip(interval.get_segments(), scores.values(), strict=True):
        assert (low[0], high[0]) == pytest.approx(score.interval())


def test_several_models_have_a_legend() -> None:
    one = Scores({"MIG": Score(0.3, "MIG")})
    other = Scores({"MIG": Score(0.1, "MIG"), "SAP": Score(0.2, "SAP")})
    axes = summary_figure({"trained": one, "untrained": other}).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["trained", "untrained"]
    assert sorted(bar.get_width() for bar in axes.patches) == [0.1, 0.2, 0.3]
    with pytest.raises(ValueError, match="no score to draw"):
        summary_figure(Scores())


def test_figures_can_be_written(arrays, tmp_path) -> None:
    z, v = arrays
    figures = {
        "information": information_figure(mig(z, v, names=NAMES)),
        "importance": importance_figure(dci(z, v, names=NAMES)),
        "latents": latents_figure(z, v, NAMES),
        "summary": summary_figure(evaluate(z, v, metrics=["MIG"])),
    }
    for name, figure in figures.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 2_000
