"""InfoWGAN-GP by the commands that every other model is trained, scored and drawn by."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from disvae.cli.main import main
from disvae.losses import InfoWGANGPLoss
from disvae.models import InfoGAN2DShapes
from disvae.training import load_run, read_log

GAME = ["--model", "InfoGAN2DShapes", "--model.normalization", "layer", "--loss", "InfoWGANGPLoss"]


def train(run, *arguments: str) -> int:
    small = ["--data", "Sprites", "--n_images", "200", "--batch_size", "4", "--log_every", "1"]
    quiet = ["--progress", "false", "--accelerator", "cpu"]
    return main(["train", *GAME, *small, *quiet, "--run_dir", str(run), *arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "game"
    assert train(folder, "--steps", "4") == 0
    return folder


def test_a_run_says_what_it_is(run) -> None:
    finished = load_run(run)
    assert isinstance(finished.model(), InfoGAN2DShapes)
    assert isinstance(finished.criterion(), InfoWGANGPLoss)
    (line, *_) = read_log(run)
    for term in ("objective", "discriminator", "mutual_information", "wasserstein"):
        assert np.isfinite(line[term])


def test_a_resumed_run_is_one_that_never_stopped(run, tmp_path) -> None:
    for steps in ("2", "4"):
        assert train(tmp_path / "again", "--steps", steps) == 0
    expected = load_file(run / "model.safetensors")
    for name, weight in load_file(tmp_path / "again" / "model.safetensors").items():
        assert torch.equal(weight, expected[name]), name  # running statistics too


@pytest.mark.usefixtures("_quick_workers")
def test_several_seeds(tmp_path) -> None:
    assert train(tmp_path, "--steps", "2", "--seeds", "[0,1]") == 0
    a, b = (load_run(tmp_path / f"seed-{seed}").model() for seed in (0, 1))
    assert not torch.equal(a.critic.weight, b.critic.weight)
    assert torch.equal(a.noise, b.noise)


def test_scores_are_those_of_q(run, capsys) -> None:
    assert main(["evaluate", str(run), "--points", "200", "--metrics", "FactorVAE score,MIG"]) == 0
    report = json.loads((run / "evaluation.json").read_text())
    assert set(report["trained"]) == {"FactorVAE score", "MIG"}
    assert 0 <= report["trained"]["FactorVAE score"]["value"] <= 1


def test_samples(run, tmp_path) -> None:
    file = tmp_path / "samples.npz"
    assert main(["sample", str(run), "--n", "5", "--output", str(file)]) == 0
    with np.load(file) as arrays:
        assert arrays["images"].shape == (5, 1, 64, 64)
        assert np.abs(arrays["codes"][:, :4]).max() <= 1
        assert set(arrays["codes"][:, 4]) <= {0.0, 1.0, 2.0}


@pytest.mark.parametrize(
    "kind",
    [
        *("samples", "reconstructions", "traversals", "reconstruct-traverse", "interpolation"),
        *("histograms", "latents", "factor-maps", "curves"),
    ],
)
def test_pictures(run, tmp_path, kind) -> None:
    file = tmp_path / "picture.png"
    assert main(["plot", str(run), kind, "--output", str(file)]) == 0
    assert file.stat().st_size > 1000


def test_traversals_stay_within_the_bounds(run, tmp_path, monkeypatch) -> None:
    decoded = []
    decode = InfoGAN2DShapes.decode

    def record(model, z):
        decoded.append(z.clone())
        return decode(model, z)

    monkeypatch.setattr(InfoGAN2DShapes, "decode", record)
    for command in (["traverse", str(run)], ["plot", str(run), "traversals"]):
        decoded.clear()
        assert main([*command, "--output", str(tmp_path / "picture.png")]) == 0
        codes = torch.cat(decoded)
        rows = codes[-5 * 11 :].unflatten(0, (5, 11))  # of five dimensions
        moved = (rows != rows[:, :1]).any(1).nonzero()[:, 1].tolist()
        assert sorted(moved) == [0, 1, 2, 3, 4]
        for row, j in zip(rows, moved, strict=True):
            expected = [0, 1, 2] if j == 4 else torch.linspace(-1, 1, 11).tolist()
            assert sorted(set(row[:, j].tolist())) == pytest.approx(expected, abs=1e-6)


def test_a_report_and_the_codes(run, tmp_path) -> None:
    page = tmp_path / "report.html"
    options = ["--points", "100", "--repeats", "0", "--decompose", "0", "--metrics", "MIG"]
    assert main(["report", str(run), *options, "--output", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "inf nats" not in text
    assert "nan nats" not in text
    file = tmp_path / "codes.npz"
    assert main(["encode", str(run), "--points", "20", "--output", str(file)]) == 0
    with np.load(file) as arrays:
        assert arrays["mean"].shape == (20, 5)
        assert arrays["logits_4"].shape == (20, 3)


def test_a_sweep_says_that_there_is_no_reconstruction(run, capsys) -> None:
    assert main(["evaluate", str(run), "--points", "200", "--metrics", "MIG"]) == 0
    capsys.readouterr()
    assert main(["plot", str(run), "weights", "--others", str(run)]) == 2
    assert "InfoWGANGPLoss has none of" in capsys.readouterr().err


def test_what_is_infinite_is_refused_or_null(run, capsys) -> None:
    few = ["--points", "20", "--metrics", "MIG", "--json"]
    for option in (["--decompose", "10"], ["--particles", "1"]):
        assert main(["evaluate", str(run), *few, *option]) == 2
        assert "the prior has bounds" in capsys.readouterr().err
    assert main(["evaluate", str(run), *few, "--particles", "2"]) == 0
    for text in (capsys.readouterr().out, (run / "evaluation.json").read_text()):
        assert "Infinity" not in text
        assert "NaN" not in text
        assert json.loads(text)["evidence"]["trained"]["n_images"] == 20
