"""Two small runs to report of."""

from pathlib import Path

import pytest

from disvae.cli.main import main


def train(folder: Path, *arguments: str) -> Path:
    small = ["--n_images", "300", "--steps", "12", "--log_every", "1", "--model.latent_dim", "3"]
    quiet = ["--progress", "false", "--accelerator", "cpu", "--batch_size", "8"]
    assert main(["train", "--run_dir", str(folder), *small, *quiet, *arguments]) == 0
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("report") / "vae", "--loss", "VAELoss")


@pytest.fixture(scope="session")
def other_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "beta-tc"
    return train(folder, "--loss", "BetaTCVAELoss", "--loss.beta", "3")
