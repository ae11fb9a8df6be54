import numpy as np
import pytest

from disvae.plots import factor_map_figure, mean_codes
from disvae.plots.style import COLOURS, FAINT

NAMES = ["shape", "scale", "position_x", "position_y"]


@pytest.fixture(scope="module")
def arrays():
    """Samples of every combination but those at position (0, 0), and three dimensions."""
    rng = np.random.default_rng(0)
    v = rng.integers(0, [2, 3, 4, 5], size=(600, 4))
    v = v[(v[:, 2] > 0) | (v[:, 3] > 0)]
    z = np.stack([v[:, 2] - 1.5, 0.2 * v[:, 3] * v[:, 0], rng.normal(size=len(v))], axis=1)
    return z, v


def slow_mean(z, v, j, **fixed):
    chosen = [
        z[i, j]
        for i in range(len(z))
        if all(v[i, NAMES.index(name)] == value for name, value in fixed.items())
    ]
    return sum(chosen) / len(chosen) if chosen else np.nan


def test_mean_codes_are_those_of_a_slow_loop(arrays):
    z, v = arrays
    means, (x, y) = mean_codes(z, v, by=[2, 3])
    assert (x.tolist(), y.tolist()) == ([0, 1, 2, 3], [0, 1, 2, 3, 4])
    for i in range(4):
        for k in range(5):
            expected = [slow_mean(z, v, j, position_x=i, position_y=k) for j in range(3)]
            np.testing.assert_allclose(means[i, k], expected)
    assert np.isnan(means[0, 0]).all()
    for wrong in ([], [4], [-1]):
        with pytest.raises(ValueError, match="expected columns from 0 to 3"):
            mean_codes(z, v, by=wrong)


def test_a_value_that_does_not_occur_has_no_cell():
    means, (values,) = mean_codes([[1.0], [3.0], [8.0]], [[0], [0], [7]], by=[0])
    assert values.tolist() == [0, 7]
    assert means.tolist() == [[2.0], [8.0]]


def test_cells_and_lines_are_means_over_all_other_factors(arrays):
    z, v = arrays
    figure = factor_map_figure(z, v, NAMES)
    assert len(figure.axes) == 3 * 2 + 1  # map and scale, and the colour bar
    for j in range(3):
        axes, lines = figure.axes[2 * j], figure.axes[2 * j + 1]
        picture = np.ma.filled(axes.images[0].get_array(), np.nan)
        assert picture.shape == (5, 4)  # y goes down, x across
        np.testing.assert_allclose(
            picture[3, 1], slow_mean(z, v, j, position_x=1, position_y=3), atol=1e-12
        )
        for shape, line in enumerate(lines.lines):
            expected = [slow_mean(z, v, j, shape=shape, scale=s) for s in range(3)]
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert line.get_xdata().tolist() == [0, 1, 2]
        assert axes.get_ylabel() == f"$z_{{{j}}}$"
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "position x →\nposition y ↓",
        "scale",
    ]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["shape 0", "shape 1", "no such sample"]


def test_all_panels_have_one_scale_with_zero_in_its_middle(arrays):
    figure = factor_map_figure(*arrays, NAMES)
    limits = {axes.images[0].get_clim() for axes in figure.axes[:6:2]}
    limits |= {axes.get_ylim() for axes in figure.axes[1:6:2]}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high


def test_values_have_names_in_the_legend(arrays):
    figure = factor_map_figure(*arrays, NAMES, values=["square", "heart"])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["square", "heart", "no such sample"]
    with pytest.raises(ValueError, match="1 names for shape from 0 to 1"):
        factor_map_figure(*arrays, NAMES, values=["square"])


def test_rows_are_sorted_by_kl(arrays):
    figure = factor_map_figure(*arrays, NAMES, kl=[0.5, 2.0, 1.0])
    labels = [axes.get_ylabel() for axes in figure.axes[:6:2]]
    assert labels == ["$z_{1}$\n2.00 nats", "$z_{2}$\n1.00 nats", "$z_{0}$\n0.50 nats"]
    with pytest.raises(ValueError, match="2 KLs for 3 dimensions"):
        factor_map_figure(*arrays, NAMES, kl=[1.0, 2.0])


def test_collapsed_dimensions_are_grey_and_every_grey_is_explained(arrays):
    z, v = arrays
    figure = factor_map_figure(z, v, NAMES, kl=[0.5, 0.01, 1.0])
    colours = {}
    for axes, lines in zip(figure.axes[:6:2], figure.axes[1:6:2], strict=True):
        name = axes.get_ylabel().partition("\n")[0]
        colours[name] = axes.yaxis.label.get_color(), lines.lines[0].get_color()
    assert colours["$z_{1}$"] == (FAINT, FAINT)
    assert colours["$z_{0}$"] == colours["$z_{2}$"] == ("black", COLOURS[0])
    (legend,) = figure.legends
    known = [text.get_text() for text in legend.get_texts()]
    assert known == ["shape 0", "shape 1", "collapsed dimension", "no such sample"]
    assert legend.legend_handles[2].get_color() == FAINT
    assert legend.legend_handles[3].get_facecolor()[:3] == figure.axes[0].get_facecolor()[:3]
    everywhere = np.concatenate([v, v[:1] * [1, 1, 0, 0]])  # the one position without a sample
    figure = factor_map_figure(np.concatenate([z, z[:1]]), everywhere, NAMES, kl=[0.5, 2.0, 1.0])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["shape 0", "shape 1"]


def test_factors_may_be_chosen(arrays):
    figure = factor_map_figure(*arrays, NAMES, over=("scale", "shape"), by="position_x")
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == [
        "scale →\nshape ↓",
        "position y",
    ]
    assert len(figure.axes[1].lines) == 4


def test_without_positions_and_shapes_there_are_lines_alone(arrays):
    z, v = arrays
    figure = factor_map_figure(z, v[:, 1:3], ["scale", "azimuth"])
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["scale", "azimuth"]
    assert [len(axes.lines) for axes in figure.axes] == [1] * 6
    assert figure.legends == []


def test_wrong_factors_are_refused(arrays):
    z, v = arrays
    for chosen, message in {
        ("over", ("scale", "colour")): "no factor 'colour'; the factors are shape, scale",
        ("over", ("scale", "scale")): "expected different factors",
        ("by", "hue"): "no factor 'hue'",
    }.items():
        with pytest.raises(ValueError, match=message):
            factor_map_figure(z, v, NAMES, **{chosen[0]: chosen[1]})
    many = np.arange(len(z))[:, None] % 7
    with pytest.raises(ValueError, match="hue has 7 values, more than the 6 lines"):
        factor_map_figure(z, np.concatenate([v, many], 1), [*NAMES, "hue"], by="hue")
    with pytest.raises(ValueError, match="no factor beside 'shape' to draw"):
        factor_map_figure(z, v[:, :1], ["shape"])
