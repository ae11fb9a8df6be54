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


def test_a_sweep_says_that_there_is_no_reconstruction(run, capsys) -> None:
    assert main(["evaluate", str(run), "--points", "200", "--metrics", "MIG"]) == 0
    capsys.readouterr()
    assert main(["plot", str(run), "weights", "--others", str(run)]) == 2
    assert "InfoWGANGPLoss has none of" in capsys.readouterr().err
