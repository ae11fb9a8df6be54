import json

import pytest

from disvae.plots.report.log import json_lines, machine, read_curves, terms, thin


def test_curves_by_quantity(tmp_path):
    lines = [
        {"step": 1, "kl": 2.0, "ms_batch": 1.0},
        {"step": 2, "kl": float("nan"), "square": 4.0},
        {"step": 3, "kl": 5.0},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    curves = read_curves(tmp_path)
    assert terms(curves) == {"kl": [(1.0, 2.0), (3.0, 5.0)], "square": [(2.0, 4.0)]}
    assert machine(curves) == {"ms_batch": [(1.0, 1.0)]}


def test_no_log_has_no_curves(tmp_path):
    assert read_curves(tmp_path) == {}


def test_a_line_that_was_cut_short_is_left_out(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 1, "kl": 2.0}\n{"step": 2, "k')
    assert read_curves(tmp_path) == {"kl": [(1.0, 2.0)]}


def test_a_whole_line_that_is_no_record_is_an_error(tmp_path):
    (tmp_path / "x.jsonl").write_text("3\n")
    with pytest.raises(ValueError, match="no record: '3'"):
        list(json_lines(tmp_path / "x.jsonl"))


def test_thinning_averages_and_keeps_the_last_point():
    curve = [(float(i), float(i % 2)) for i in range(1000)]
    thinned = thin(curve, 101)
    assert len(thinned) <= 101
    assert thinned[0] == (4.5, 0.5)
    assert thinned[-1] == curve[-1]
    assert [step for step, _ in thinned] == sorted({step for step, _ in thinned})
    assert thin(curve, 1000) == curve
