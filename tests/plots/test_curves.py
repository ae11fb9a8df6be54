import statistics

import numpy as np
import pytest

from disvae.plots import curves_figure


def make_log(offset: float, steps=(100, 200, 300)) -> list[dict[str, float]]:
    """A log in which the TC is estimated at every other point only, as with decompose_every."""
    log = []
    for i, step in enumerate(steps):
        line = {"step": step, "loss": 9.0, "objective": 5 - i + offset, "kl": i * offset}
        line |= {"images_per_second": 1e3, "ms_batch": 0.1, "peak_memory_mib": 500.0}
        log.append(line | ({"total_correlation": 0.1 * i} if i % 2 == 0 else {}))
    return log


def panels(figure) -> dict:
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_a_line_for_each_term_is_what_the_log_says():
    log = make_log(1.0)
    axes = panels(curves_figure({"run": [log]}))
    assert list(axes) == ["objective", "KL", "total correlation"]
    for term, title in {"objective": "objective", "kl": "KL"}.items():
        (line,) = axes[title].lines
        assert line.get_xdata().tolist() == [100, 200, 300]
        assert line.get_ydata().tolist() == [row[term] for row in log]
    assert axes["total correlation"].lines[0].get_xdata().tolist() == [100, 300]


def test_the_first_steps_do_not_decide_on_the_range():
    log = [{"step": step, "kl": 1_000.0 if step == 1 else 2.0 + step} for step in range(1, 11)]
    axes = curves_figure({"run": [log]}).axes[0]
    low, high = axes.get_ylim()
    assert 3 < low < 4
    assert 12 < high < 13
    assert axes.lines[0].get_ydata()[0] == 1_000  # above the frame, but there
    assert curves_figure({"run": [log]}, ["kl"], whole=["kl"]).axes[0].get_ylim()[1] > 1_000


def test_the_line_of_several_seeds_is_their_mean_and_the_band_one_standard_deviation():
    logs = [make_log(offset) for offset in (1.0, 2.0, 6.0)]
    axes = panels(curves_figure({"seeds": logs}))["objective"]
    columns = list(zip(*([row["objective"] for row in log] for log in logs), strict=True))
    mean = np.array([statistics.mean(c) for c in columns])
    spread = np.array([statistics.stdev(c) for c in columns])
    np.testing.assert_allclose(axes.lines[0].get_ydata(), mean)
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == pytest.approx((mean - spread).min())
    assert band.max() == pytest.approx((mean + spread).max())


def test_only_steps_that_all_runs_of_a_group_logged_are_averaged():
    logs = [make_log(0.0), make_log(2.0, steps=(200, 300, 400))]
    line = curves_figure({"seeds": logs}, ["objective"]).axes[0].lines[0]
    assert line.get_xdata().tolist() == [200, 300]
    assert line.get_ydata().tolist() == [(4 + 7) / 2, (3 + 6) / 2]
    with pytest.raises(ValueError, match="runs of 'seeds' have no step in common"):
        curves_figure({"seeds": [make_log(0.0), make_log(0.0, steps=(1, 2))]})


def test_groups_have_colours_and_a_legend_and_need_not_have_the_same_terms():
    other = [{"step": 100, "objective": 1.0, "discriminator": 0.5}]
    figure = curves_figure({"VAE": [make_log(0.0)], "FactorVAE": [other]})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["VAE", "FactorVAE"]
    axes = panels(figure)
    colours = [line.get_color() for line in axes["objective"].lines]
    assert colours == [line.get_color() for line in figure.legends[0].get_lines()]
    assert len(set(colours)) == 2
    assert [line.get_color() for line in axes["discriminator"].lines] == colours[1:]


def test_many_groups_are_shades():
    figure = curves_figure({str(i): [make_log(float(i))] for i in range(9)}, ["kl"])
    assert len({line.get_color() for line in figure.axes[0].lines}) == 9


def test_chosen_terms_in_their_order():
    figure = curves_figure({"run": [make_log(0.0)]}, terms=["kl", "objective"])
    assert list(panels(figure)) == ["KL", "objective"]
    with pytest.raises(ValueError, match="no log has klein: they have kl, loss, objective"):
        curves_figure({"run": [make_log(0.0)]}, terms=["klein"])


@pytest.mark.parametrize("logs", [{}, {"run": []}, {"run": [[]]}])
def test_nothing_is_refused(logs):
    with pytest.raises(ValueError, match="there is nothing to draw"):
        curves_figure(logs)
