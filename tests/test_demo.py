"""What `make demo` promises, at its full length: some minutes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
FOUND = ("scale", "position_x", "position_y")


def commands(target: str) -> str:
    """What make would give to the shell, in the environment of this process."""
    text = MAKEFILE.read_text(encoding="utf-8")
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    train = re.search(r"^TRAIN := (.*)$", text, re.MULTILINE)
    assert recipe
    assert train
    lines = recipe[1].replace("$(TRAIN)", train[1]).replace("$$", "$")
    return lines.replace("$(BIN)", str(Path(sys.executable).parent))


def test_the_demo_trains_two_recipes_that_differ_in_the_loss_alone() -> None:
    from disvae.recipes import load_recipe

    names = re.findall(r"--recipe (\w+)", commands("demo"))
    assert names == ["sprites_vae", "sprites_beta_tcvae"]
    first, second = (load_recipe(name).config for name in names)
    assert first.pop("loss") != second.pop("loss")
    assert first == second


@pytest.mark.slow
def test_the_demo_reaches_what_it_promises(tmp_path) -> None:
    subprocess.run(["sh", "-ec", commands("demo")], cwd=tmp_path, check=True)
    report = json.loads((tmp_path / "runs/demo/compare.json").read_text())
    assert (tmp_path / "runs/demo/compare.png").exists()
    scores = report["scores"]
    better, vae = scores["beta_tcvae"], scores["vae"]
    assert better["MIG"]["value"] >= 0.35
    assert better["MIG"]["value"] - vae["MIG"]["value"] >= 0.25
    votes = better["FactorVAE score"]["per_factor"]
    rows = report["rows"]["beta_tcvae"]
    for factor in FOUND:
        assert votes[factor] >= 0.99
        assert rows[factor]["lead"] >= 2
    assert len({rows[factor]["dimension"] for factor in FOUND}) == len(FOUND)
