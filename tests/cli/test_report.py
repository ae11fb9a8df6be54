import json

import pytest

from disvae.cli.main import main

QUICK = ["--metrics", "MIG", "--repeats", "0", "--decompose", "0"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    small = ["--n_images", "40", "--steps", "2", "--model.latent_dim", "3", "--loss", "VAELoss"]
    arguments = [*small, "--progress", "false", "--accelerator", "cpu", "--run_dir", str(run)]
    assert main(["train", *arguments]) == 0
    return run


def test_writes_into_the_run_directory(run, capsys):
    assert main(["report", str(run), *QUICK]) == 0
    assert f"wrote {run / 'report.html'}" in capsys.readouterr().out
    page = (run / "report.html").read_text()
    assert "MIG" in page
    assert "not decomposed: not asked for" in page


def test_options_reach_the_settings(run, tmp_path):
    output = tmp_path / "new" / "page.html"
    options = ["--images", "[3]", "--n_frames", "5", "--reach", "1.5", "--points", "30"]
    assert main(["report", str(run), "--output", str(output), *options, *QUICK]) == 0
    page = output.read_text()
    assert 'data-values="-1.5 -0.75 0.0 0.75 1.5"' in page
    assert "measured for this report: 30 images, no standard errors, seed 0" in page


def test_json_is_the_file_and_nothing_else(run, tmp_path, capsys):
    output = str(tmp_path / "page.html")
    assert main(["report", str(run), "--output", output, *QUICK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": output, "runs": [str(run)]}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--images", "[40]"], "images must be from 0 to 39, got 40"),
        (["--metrics", "MIC"], "has no metric 'MIC'"),
        (["--repeats", "1"], "repeats must be 0 or 2 at least"),
        (["--outptu", "x"], "did you mean '--output'?"),
    ],
)
def test_mistakes_are_named(run, arguments, expected, capsys):
    assert main(["report", str(run), *arguments]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
