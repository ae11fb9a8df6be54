import pytest

from disvae.plots.report.charts import (
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    make_charts,
    short,
    ticks,
    value_range,
)


def test_a_chart_for_each_quantity_of_any_run():
    charts = make_charts(
        {"a": {"kl": [(0.0, 1.0), (10.0, 3.0)]}, "b": {"tc": [(5.0, 2.0)], "kl": [(20.0, 2.0)]}}
    )
    assert [chart.name for chart in charts] == ["kl", "tc"]
    assert [(line.run, line.name, line.last) for line in charts[0].lines] == [
        (0, "a", "3"),
        (1, "b", "2"),
    ]
    assert [line.run for line in charts[1].lines] == [1]
    assert charts[0].end == charts[1].end == 20.0


def test_points_lie_where_the_axes_say():
    (chart,) = make_charts({"a": {"kl": [(0.0, 1.0), (10.0, 3.0)]}})
    first, last = (tuple(map(float, p.split(","))) for p in chart.lines[0].points.split())
    assert first[0] == LEFT
    assert last[0] == WIDTH - RIGHT
    assert TOP < last[1] < first[1] < HEIGHT  # larger is higher
    height = {tick.label: tick.place for tick in chart.y_ticks}
    assert height["1"] == pytest.approx(first[1], abs=0.1)
    assert height["3"] == pytest.approx(last[1], abs=0.1)


def test_one_value_that_flattens_the_rest_is_left_out_and_others_are_not():
    rest = [1 + 0.01 * i for i in range(50)]
    low, high = value_range([1000.0, *rest])
    assert 0.9 < low < 1.1
    assert high < 2
    low, high = value_range(rest)
    assert low < 1
    assert high > rest[-1]


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_constant_has_a_range_around_it(value):
    low, high = value_range([value, value])
    assert low < value < high


def test_ticks_are_round():
    assert ticks(0.3, 9.7) == [5.0]
    assert ticks(0.0, 1.0) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.123456, "0.123"), (-2.5, "−2.5"), (1234.5, "1234"), (56_789, "56.8k"), (3e6, "3e+06")],
)
def test_short_numbers(value, expected):
    assert short(value) == expected
