import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.training import conditions, threads
from disvae.training import trainer as trainer_module
from disvae.training.threads import Pace, available_cores, candidates, cpu_quota, fastest

SHAPE = (1, 16, 16)


class Counts:
    """A source of batches that notes with how many threads each step is taken."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def batch(self, step: int) -> torch.Tensor:
        self.threads.append(torch.get_num_threads())
        return torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(step))


def make(**settings: Any) -> Trainer:
    torch.manual_seed(0)
    settings = {"accelerator": "cpu", "progress": False, "precision": "32-true", **settings}
    return Trainer(BurgessVAE(SHAPE, latent_dim=2), VAELoss(), **settings)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.fixture
def machine(monkeypatch) -> dict[int, float]:
    """A machine of two cores, and the seconds that a trial finds a step takes with 1 and 2."""
    seconds = {1: 0.03, 2: 0.02}
    monkeypatch.setattr(conditions, "is_settled", lambda: False)
    monkeypatch.setattr(conditions, "candidates", lambda: [2, 1])
    trial = lambda trainer, batch, precision, threads: seconds[threads]  # noqa: E731
    monkeypatch.setattr(trainer_module, "seconds_per_step", trial)
    return seconds


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, math.inf),
        ({"proc/self/cgroup": "0::/\n"}, math.inf),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, math.inf),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        # A limit of a group above holds too, and the smallest counts.
        (
            {
                "proc/self/cgroup": "0::/user/job\n",
                "sys/fs/cgroup/user/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/user/job/cpu.max": "800000 100000\n",
            },
            2.0,
        ),
        # Version 1; the path is that outside of the container.
        (
            {
                "proc/self/cgroup": "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            math.inf,
        ),
    ],
)
def test_quota_of_control_groups(tmp_path, files, expected) -> None:
    assert cpu_quota(write(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("quota", "expected"), [(math.inf, 8), (2.0, 2), (3.9, 3), (0.5, 1), (20.0, 8)]
)
def test_available_cores_are_within_affinity_and_quota(monkeypatch, quota, expected) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "cpu_quota", lambda: quota)
    assert available_cores() == expected


@pytest.mark.parametrize(
    ("torchs", "available", "expected"),
    [(1, 4, [1]), (2, 2, [2, 1]), (64, 12, [12, 6, 3, 1]), (8, 64, [8, 4, 2, 1])],
)
def test_candidates_halve(tmp_path, monkeypatch, torchs, available, expected) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: torchs)
    monkeypatch.setattr(threads, "available_cores", lambda: available)
    assert candidates(tmp_path) == expected


def test_candidates_hold_the_performance_cores(tmp_path, monkeypatch) -> None:
    # Six performance cores of two threads each, and eight efficient cores.
    files = {"sys/devices/cpu_core/cpus": "0-11\n"}
    for cpu in range(12):
        name = f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
        files[name] = f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}\n"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 14)
    monkeypatch.setattr(threads, "available_cores", lambda: 20)
    assert candidates(write(tmp_path, files)) == [14, 7, 6, 3, 1]


@pytest.mark.parametrize(
    ("seconds", "used", "expected", "tried"),
    [
        ({2: 0.017, 1: 0.03}, None, 2, [2, 1]),
        ({2: 0.67, 1: 0.04}, None, 1, [2, 1]),  # beside busy processes
        ({4: 0.7, 2: 0.8, 1: 0.04}, None, 1, [4, 2, 1]),
        ({8: 0.01, 4: 0.015, 2: 0.03, 1: 0.06}, None, 8, [8, 4, 2]),  # one is hopeless
        ({2: math.inf, 1: math.inf}, None, 2, [2, 1]),  # the loss fails
        ({2: 0.017, 1: 0.03}, 1, 1, [2, 1]),  # a run keeps its number
        ({2: 0.67, 1: 0.04}, 2, 1, [2, 1]),  # unless it comes to a standstill
        ({4: 0.01, 3: 0.011, 2: 0.02, 1: 0.04}, 3, 3, [4, 3, 2, 1]),
    ],
)
def test_fastest(seconds, used, expected, tried) -> None:
    asked = []

    def trial(n: int) -> float:
        asked.append(n)
        return seconds[n]

    numbers = [n for n in seconds if n != 3]
    assert fastest(numbers, trial, used) == expected
    assert asked == tried


def test_the_user_settles_the_number(monkeypatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_AT_IMPORT", 5)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert not threads.is_settled()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert threads.is_settled()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    assert threads.is_settled()


def test_pace_notices_a_standstill_and_waits_longer_after_each() -> None:
    pace = Pace()
    assert not any(pace.has_dropped(0.02) for _ in range(30))
    slow = [pace.has_dropped(0.7) for _ in range(10)]
    assert sum(slow) == 1
    assert not any(pace.has_dropped(0.7) for _ in range(100))
    pace = Pace()
    assert not any(pace.has_dropped(0.5 if i % 5 == 0 else 0.02) for i in range(200))


def test_given_threads_are_used_and_given_back() -> None:
    before = torch.get_num_threads()
    source = Counts()
    make(threads=2).fit(source, 2)
    assert source.threads == [2, 2]
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="threads must be positive"):
        make(threads=0)


@pytest.mark.parametrize("faster", [1, 2])
def test_the_faster_number_is_used_noted_and_kept(tmp_path, machine, faster) -> None:
    machine[faster] = 0.01
    source = Counts()
    make(run_dir=tmp_path).fit(source, 2)
    machine[faster] = 0.029  # now the other is faster, though not three times
    make(run_dir=tmp_path).fit(source, 4)
    assert source.threads == 4 * [faster]
    notes = [json.loads(line) for line in (tmp_path / "starts.jsonl").read_text().splitlines()]
    assert [note["threads"] for note in notes] == [faster, faster]
    assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])


def test_a_run_that_comes_to_a_standstill_goes_on_with_one_thread(
    tmp_path, machine, monkeypatch, capsys
) -> None:
    source = Counts()
    trainer = make(run_dir=tmp_path, progress=True)
    monkeypatch.setattr(Pace, "has_dropped", lambda self, seconds: len(source.threads) == 3)
    taken = trainer.conditions.reconsider

    def reconsider(seconds: float, trial: Any) -> bool:
        machine[2] = 0.7 if len(source.threads) == 3 else machine[2]
        return taken(seconds, trial)

    monkeypatch.setattr(trainer.conditions, "reconsider", reconsider)
    trainer.fit(source, 5)
    assert source.threads == [2, 2, 2, 1, 1]
    assert "threads: 1, they were 2" in capsys.readouterr().err
    notes = [json.loads(line) for line in (tmp_path / "starts.jsonl").read_text().splitlines()]
    assert [(note["step"], note["threads"]) for note in notes] == [(0, 2), (3, 1)]


def test_nothing_is_tried_where_the_environment_says(monkeypatch) -> None:
    def trial(*_: Any) -> float:
        raise AssertionError("a trial")

    monkeypatch.setattr(trainer_module, "seconds_per_step", trial)
    source = Counts()
    make().fit(source, 1)
    assert source.threads == [torch.get_num_threads()]
