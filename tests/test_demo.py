"""What `make demo` promises, at its full length: some minutes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from disvae.training import load_images, load_run

MAKEFILE = Path(__file__).parents[1] / "Makefile"


@pytest.mark.slow
def test_the_demo_reaches_what_it_promises(tmp_path) -> None:
    recipe = re.search(r"^demo:.*\n((?:\t.*\n)+)", MAKEFILE.read_text(), re.MULTILINE)
    assert recipe
    commands = recipe[1].replace("\\\n", " ").replace("$(BIN)", str(Path(sys.executable).parent))
    for command in commands.splitlines():
        subprocess.run(command.split(), cwd=tmp_path, check=True)

    report = json.loads((tmp_path / "runs/demo/evaluation.json").read_text())
    trained, untrained = (
        report[name]["FactorVAE score"]["value"] for name in ("trained", "untrained")
    )
    assert trained >= 0.65
    assert trained - untrained >= 0.30
    assert (tmp_path / "runs/demo/traversal.png").exists()

    run = load_run(tmp_path / "runs/demo")
    model = run.model()
    with torch.no_grad():
        z = model.represent(load_images(run.data(), torch.tensor([0]))).expand(10, -1).clone()
        ends = []
        for value in (-2.0, 2.0):
            z[range(10), range(10)] = value
            ends.append(model.likelihood.mean(model.decode(z)))
    moved = (ends[0] - ends[1]).abs().flatten(1).sum(1) > 30  # pixels, of a sprite of a hundred
    assert moved.sum() >= 3
