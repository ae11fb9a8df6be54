"""Models with categorical dimensions, from the command line: every verb that has to know."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from disvae.cli.main import main
from disvae.metrics import factor_vae_score
from disvae.training import load_run

SMALL = ["--data", "Sprites", "--n_images", "40", "--batch_size", "4"]
QUIET = ["--progress", "false", "--accelerator", "cpu"]
MIXED = ["--model", "BurgessMixedVAE", "--model.n_continuous", "2", "--model.categories", "[3]"]
FACTOR = ["--loss", "FactorVAELoss", "--loss.discriminator", "Discriminator"]
FACTOR += ["--loss.discriminator.hidden_dim", "8", "--loss.discriminator.latent_dim", "5"]
QLAE = ["--model", "BurgessQLAE", "--model.latent_dim", "3", "--model.n_values", "4"]
QLAE += ["--loss", "QLAELoss"]


def train(run_dir: Path, *options: str, steps: int = 2) -> Path:
    arguments = [*options, *SMALL, *QUIET, "--steps", str(steps), "--run_dir", str(run_dir)]
    assert main(["train", *arguments]) == 0
    return run_dir


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("runs") / "mixed", *MIXED, *FACTOR)


@pytest.fixture(scope="module")
def quantised(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("runs") / "qlae", *QLAE)


def test_the_discriminator_is_as_wide_as_the_columns(mixed) -> None:
    assert load_run(mixed).config["loss"]["init_args"]["latent_dim"] == 5
    assert load_run(mixed).model().discrete == (2,)


@pytest.mark.parametrize("options", [[*MIXED, *FACTOR], QLAE], ids=["mixed", "qlae"])
def test_a_run_goes_on_as_if_it_had_not_stopped(options, tmp_path) -> None:
    once = train(tmp_path / "once", *options, steps=4)
    twice = train(tmp_path / "twice", *options, steps=2)
    train(twice, *options, steps=4)
    expected, found = (load_file(run / "model.safetensors") for run in (once, twice))
    assert all(torch.equal(found[name], weight) for name, weight in expected.items())


@pytest.mark.usefixtures("_quick_workers")
def test_seeds(tmp_path) -> None:
    folder = train(tmp_path / "sweep", *MIXED, *FACTOR, "--seeds", "[0,1]")
    first, second = (load_file(folder / f"seed-{s}" / "model.safetensors") for s in (0, 1))
    assert not torch.equal(first["encoder.head.0.weight"], second["encoder.head.0.weight"])


@pytest.mark.parametrize("run", ["mixed", "quantised"])
def test_evaluate(run, request, capsys) -> None:
    run = request.getfixturevalue(run)
    capsys.readouterr()  # of training
    metrics = ["--metrics", "FactorVAE score,MIG,InfoM"]
    more = ["--decompose", "20", "--particles", "2", "--points", "30", "--json"]
    assert main(["evaluate", str(run), *metrics, *more]) == 0
    report = json.loads(capsys.readouterr().out)
    text = json.dumps(report)
    assert "NaN" not in text
    assert "Infinity" not in text
    assert set(report["trained"]) >= {"FactorVAE score", "MIG", "InfoM"}


def test_codes_as_a_file_and_back(mixed, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["encode", str(mixed), "--output", "codes.npz", "--json"]) == 0
    capsys.readouterr()
    with np.load("codes.npz") as file:
        codes, factors = file["mean"], file["factors"]
        assert codes.shape == (40, 3)
        assert file["log_var"].shape == (40, 2)
        assert file["logits_2"].shape == (40, 3)
        assert np.array_equal(codes[:, 2], file["logits_2"].argmax(1))
    files = ["--codes", "codes.npz:mean", "--factors", "codes.npz:factors"]
    options = ["--discrete", "[2]", "--metrics", "FactorVAE score", "--json"]
    assert main(["evaluate", *files, *options]) == 0
    found = json.loads(capsys.readouterr().out)["scores"]["FactorVAE score"]["value"]
    assert found == pytest.approx(float(factor_vae_score(codes, factors, discrete=[2])))


def test_codes_as_a_table(mixed, tmp_path) -> None:
    file = tmp_path / "codes.csv"
    assert main(["encode", str(mixed), "--output", str(file), "--json"]) == 0
    header, *rows = file.read_text().splitlines()
    names = ["index", "mean_0", "mean_1", "mean_2", "log_var_0", "log_var_1"]
    names += ["logits_2_0", "logits_2_1", "logits_2_2"]
    assert header.split(",")[:9] == names
    assert len(rows) == 40
    assert all(row.split(",")[3] in "012" for row in rows)


@pytest.mark.parametrize("run", ["mixed", "quantised"])
def test_pictures(run, request, tmp_path) -> None:
    run = request.getfixturevalue(run)
    assert main(["traverse", str(run), "--output", str(tmp_path / "t.png")]) == 0
    kinds = ["traversals", "reconstruct-traverse", "interpolation", "histograms", "samples"]
    assert main(["plot", str(run), *kinds, "--output", str(tmp_path / "plots")]) == 0
    assert all((tmp_path / "plots" / f"{kind}.png").stat().st_size > 1000 for kind in kinds)


def test_samples_have_categories(mixed, tmp_path) -> None:
    file = tmp_path / "samples.npz"
    assert main(["sample", str(mixed), "--n", "30", "--output", str(file)]) == 0
    with np.load(file) as archive:
        assert archive["codes"].shape == (30, 3)
        assert set(archive["codes"][:, 2].tolist()) == {0.0, 1.0, 2.0}


def test_report_goes_through_the_categories(mixed) -> None:
    assert main(["report", str(mixed)]) == 0
    html = (mixed / "report.html").read_text("utf-8")
    assert "a categorical one goes through its categories" in html
    assert html.count('data-digits="0"') == 1
    assert html.count('data-digits="2"') == 2
