import json
import shutil
import subprocess

import pytest
import torch

import disvae
from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training.provenance import provenance


def test_every_start_is_noted(tmp_path) -> None:
    for steps in (2, 4):
        torch.manual_seed(0)
        model = BurgessVAE((1, 64, 64), latent_dim=2)
        settings = {"batch_size": 4, "run_dir": tmp_path, "progress": False, "accelerator": "cpu"}
        Trainer(model, VAELoss(), **settings).fit(random_subset(Sprites(), 8), steps=steps)
    lines = [json.loads(line) for line in (tmp_path / "starts.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2]
    assert lines[0]["versions"]["disvae"] == disvae.__version__
    assert lines[0]["command"]


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_git_says_the_commit_and_whether_files_differ(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance()["git"] is None
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    clean = provenance()["git"]
    assert len(clean["commit"]) == 40
    assert not clean["changed"]
    (tmp_path / "new").write_text("")
    assert provenance()["git"]["changed"]


def test_without_git_it_is_none(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance()["git"] is None
