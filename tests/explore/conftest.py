"""A finished run whose decoder answers every dimension strongly, though it was hardly trained."""

from pathlib import Path

import pytest
import torch

from disvae.cli.main import main
from disvae.explore import Explorer, explore_run
from disvae.training import load_run
from disvae.training.files import write_tensors


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("explored") / "run"
    small = ["--n_images", "20", "--steps", "1", "--model.latent_dim", "3", "--loss", "VAELoss"]
    arguments = [*small, "--progress", "false", "--accelerator", "cpu", "--run_dir", str(run)]
    assert main(["train", *arguments]) == 0
    model = load_run(run).model()
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.mul_(1.5)
        for weight in list(model.encoder.parameters())[-2:]:
            weight.mul_(4)
    write_tensors(run / "model.safetensors", model.state_dict())
    return run


@pytest.fixture
def run(finished: Path) -> Path:
    """The run, without names."""
    (finished / "dimensions.json").unlink(missing_ok=True)
    return finished


@pytest.fixture(scope="session")
def explorer(finished: Path) -> Explorer:
    return explore_run(finished)
