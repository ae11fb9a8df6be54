"""A run that is killed with SIGKILL and started again ends as one that was left alone."""

import json
import random
import time
from contextlib import AbstractContextManager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import interpreter
import pytest

from disvae.training.files import read_checkpoint
from disvae.training.log import MEASURED

COMMAND = [
    *("disvae.cli", "train", "--loss", "FactorVAELoss"),
    *("--n_images", "64", "--batch_size", "8", "--model.latent_dim", "3", "--steps", "60"),
    *("--log_every", "3", "--checkpoint_every", "4", "--progress", "false"),
    *("--accelerator", "cpu"),
]


def start(run: Path, *arguments: str) -> AbstractContextManager[ForkServerProcess]:
    return interpreter.running(*COMMAND, *arguments, "--run_dir", run)


def finish(run: Path, *arguments: str) -> int | None:
    return interpreter.run(*COMMAND, *arguments, "--run_dir", run)


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
    draw = random.Random(0)
    raw_lines: list[str] = []
    for lines in (1, 4, 8):
        with start(killed) as process:
            deadline = time.monotonic() + 60
            while n_lines(killed) < lines and time.monotonic() < deadline:
                assert process.exitcode is None
                time.sleep(0.005)
            time.sleep(draw.uniform(0.0, 0.15))
            process.kill()
            process.join()
        assert process.exitcode == -9
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

    assert finish(killed) == 0
    assert (killed / "log.jsonl").read_text().splitlines()[: len(raw_lines)] == raw_lines
    assert finish(whole) == 0
    for file in ("model.safetensors", "criterion.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert read_log(killed) == read_log(whole)
    assert [line["step"] for line in read_log(killed)] == [*range(3, 61, 3)]


@pytest.mark.slow
def test_fifty_kills_at_random_moments(tmp_path):
    """Some at the first step, some while a file is written; none loses or changes anything."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    longer = ("--steps", "3000", "--checkpoint_every", "2")
    draw, reached = random.Random(1), [0]
    for _ in range(50):
        noted = n_starts(killed)
        with start(killed, *longer) as process:
            while n_starts(killed) == noted:  # the time until it starts varies
                assert process.exitcode is None
                time.sleep(0.01)
            time.sleep(draw.uniform(0.0, 3.0))
            process.kill()
        reached.append(step_reached(killed))
    assert reached == sorted(reached)
    assert reached[-1] > 0
    assert finish(killed, *longer) == 0
    assert finish(whole, *longer) == 0
    for file in ("model.safetensors", "criterion.safetensors"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert read_log(killed) == read_log(whole)
