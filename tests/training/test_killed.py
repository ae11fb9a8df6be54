"""A run that is killed with SIGKILL and started again ends as one that was left alone."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from disvae.training.files import read_checkpoint
from disvae.training.log import MEASURED

COMMAND = [
    *(sys.executable, "-m", "disvae.cli", "train", "--loss", "FactorVAELoss"),
    *("--n_images", "64", "--batch_size", "8", "--model.latent_dim", "3", "--steps", "60"),
    *("--log_every", "3", "--checkpoint_every", "4", "--progress", "false"),
    *("--accelerator", "cpu"),
]


def start(run: Path, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*COMMAND, *arguments, "--run_dir", str(run)], env=environment)


def n_lines(run: Path) -> int:
    log = run / "log.jsonl"
    return log.read_text().count("\n") if log.exists() else 0


def n_starts(run: Path) -> int:
    starts = run / "starts.jsonl"
    return starts.read_text().count("\n") if starts.exists() else 0


def step_reached(run: Path) -> int:
    file = run / "checkpoint.pt"
    return read_checkpoint(file)["step"] if file.exists() else 0


def read_log(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in MEASURED} for line in lines]


def test_a_killed_run_ends_bit_for_bit_as_an_uninterrupted_one(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = start(whole)

    draw = random.Random(0)
    raw_lines: list[str] = []
    for lines in (1, 4, 8):
        process = start(killed)
        deadline = time.monotonic() + 60
        while n_lines(killed) < lines and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(draw.uniform(0.0, 0.15))
        process.kill()
        assert process.wait() == -9
        assert not (killed / "model.safetensors").exists()
        resumes_at = step_reached(killed)
        before = raw_lines
        raw_lines = [
            line
            for line in (killed / "log.jsonl").read_text().splitlines()
            if line.endswith("}") and json.loads(line)["step"] <= resumes_at
        ]
        # speeds differ from run to run, so that lines kept to the letter were not written again
        assert raw_lines[: len(before)] == before
    assert resumes_at > 0

    assert start(killed).wait() == 0
    assert (killed / "log.jsonl").read_text().splitlines()[: len(raw_lines)] == raw_lines
    assert uninterrupted.wait() == 0
    for file in ("model.safetensors", "criterion.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert read_log(killed) == read_log(whole)
    assert [line["step"] for line in read_log(killed)] == [*range(3, 61, 3)]


@pytest.mark.slow
def test_fifty_kills_at_random_moments(tmp_path):
    """Some at the first step, some while a file is written; none loses or changes anything."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    longer = ("--steps", "3000", "--checkpoint_every", "2")
    uninterrupted = start(whole, *longer)
    draw, reached = random.Random(1), [0]
    for _ in range(50):
        noted = n_starts(killed)
        process = start(killed, *longer)
        while n_starts(killed) == noted:  # the time to import everything varies
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 3.0))
        process.kill()
        process.wait()
        reached.append(step_reached(killed))
    assert reached == sorted(reached)
    assert reached[-1] > 0
    assert start(killed, *longer).wait() == 0
    assert uninterrupted.wait() == 0
    for file in ("model.safetensors", "criterion.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert read_log(killed) == read_log(whole)
