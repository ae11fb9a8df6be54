import os
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import torch
from interpreter import running
from safetensors.torch import load_file

from disvae import BetaVAEHLoss, BurgessVAE, FactorVAELoss, Loss, Trainer
from disvae.data import Sprites, random_subset
from disvae.models import Discriminator
from disvae.training import train_ensemble


def data():
    return random_subset(Sprites(), 32)


def loss(i: int) -> Loss:
    torch.manual_seed(i)
    return BetaVAEHLoss(4.0 + i) if i < 2 else FactorVAELoss(2, 5.0 * i, Discriminator(2, 8, 1))


def make(root, losses=None, **settings) -> list[Trainer]:
    trainers = []
    for i, criterion in enumerate(losses or [loss(i) for i in range(3)]):
        torch.manual_seed(i)
        model = BurgessVAE((1, 64, 64), latent_dim=2)
        arguments = {"lr": 1e-3, "batch_size": 4, "log_every": 2, "checkpoint_every": 2}
        arguments |= {"accelerator": "cpu", "progress": False, "seed": i, "run_dir": root / str(i)}
        trainers.append(Trainer(model, criterion, **{**arguments, **settings}))
    return trainers


def weights(root, i):
    files = [root / str(i) / f"{part}.safetensors" for part in ("model", "criterion")]
    return [value for file in files for value in load_file(file).values()]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_run_is_the_one_trained_alone(tmp_path, workers) -> None:
    precise = {"precision": "64-true"}  # Adam blows up the rounding of another number of threads
    for trainer in make(tmp_path / "alone", **precise):
        trainer.fit(data(), steps=4)
    trainers = make(tmp_path / "together", **precise)
    runs = train_ensemble(trainers, data(), steps=4, workers=workers, progress=False)
    for i, (run, trainer) in enumerate(zip(runs, trainers, strict=True)):
        assert run.path.samefile(tmp_path / "together" / str(i))
        assert trainer.step == 4
        alone, together = (weights(tmp_path / name, i) for name in ("alone", "together"))
        in_hand = [*trainer.model.state_dict().values()]
        for a, b in zip(alone, together, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
        for a, b in zip(in_hand, run.model().state_dict().values(), strict=True):
            assert torch.equal(a.float(), b)
        names = {path.name for path in run.path.iterdir()}
        assert {"config.yaml", "log.jsonl", "checkpoint.pt", "starts.jsonl"} < names


@pytest.mark.parametrize("workers", [1, 2])
def test_one_that_fails_does_not_stop_the_others(tmp_path, capfd, workers) -> None:
    trainers = make(tmp_path)
    trainers[1] = make(tmp_path, lr=1e30)[1]
    reason = ": training diverged" if workers == 1 else ", for the reasons above: .*1"
    with pytest.raises(RuntimeError, match=f"1 of 3 runs failed{reason}"):
        train_ensemble(trainers, data(), steps=4, workers=workers, progress=False)
    assert [(tmp_path / str(i) / "model.safetensors").exists() for i in range(3)] == [1, 0, 1]
    if workers > 1:
        assert "training diverged" in capfd.readouterr().err


def test_run_directories_are_needed(tmp_path) -> None:
    with pytest.raises(ValueError, match="give every Trainer a run_dir"):
        train_ensemble(make(tmp_path, run_dir=None), data(), steps=1)
    with pytest.raises(ValueError, match="of their own each"):
        train_ensemble(make(tmp_path, run_dir=tmp_path), data(), steps=1)
    with pytest.raises(ValueError, match="of their own each"):
        train_ensemble([], data(), steps=1)
    with pytest.raises(ValueError, match="workers must be at least 1"):
        train_ensemble(make(tmp_path), data(), steps=1, workers=0)


class Local:
    """Data that no other process could be sent."""

    def __init__(self) -> None:
        self.batch = lambda step: torch.rand(4, 1, 64, 64)


def test_what_cannot_be_sent_to_workers_is_refused(tmp_path) -> None:
    trainers = make(tmp_path)[:2]
    with pytest.raises(ValueError, match=r"local object.*workers=1"):
        train_ensemble(trainers, Local(), 2, workers=2, progress=False)
    train_ensemble(trainers, Local(), 2, workers=1, progress=False)


SCRIPT = """
import sys, torch
from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training import train_ensemble

if __name__ == "__main__":
    torch.manual_seed(0)
    trainers = [
        Trainer(BurgessVAE((1, 64, 64)), VAELoss(), batch_size=4, seed=i, accelerator="cpu",
                checkpoint_every=10**6, run_dir=f"{sys.argv[1]}/{i}")
        for i in range(2)
    ]
    data = random_subset(Sprites(), 32)
    train_ensemble(trainers, data, steps=10**6, workers=int(sys.argv[2]))
"""


def wait_for_logs(process: ForkServerProcess, logs: list[Path]) -> None:
    deadline = time.monotonic() + 240
    while not all(log.exists() and log.read_text() for log in logs):
        assert process.exitcode is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_saves_all_of_them(tmp_path, workers) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with running(script, tmp_path, workers) as process:
        wait_for_logs(process, [tmp_path / str(i) / "log.jsonl" for i in range(2)])
        process.terminate()  # with SIGTERM
        process.join(60)
        assert process.exitcode == 143
    assert all((tmp_path / str(i) / "checkpoint.pt").exists() for i in range(2))


MANY = """
import sys, torch
from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training import train_ensemble

if __name__ == "__main__":
    trainers = [
        Trainer(BurgessVAE((1, 64, 64)), VAELoss(), batch_size=4, seed=i, accelerator="cpu",
                log_every=1, checkpoint_every=10**6, run_dir=f"{sys.argv[1]}/{i}")
        for i in range(4)
    ]
    train_ensemble(trainers, random_subset(Sprites(), 32), steps=10**6, workers=2)
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(tmp_path, number) -> None:
    script = tmp_path / "script.py"
    script.write_text(MANY)
    with running(script, tmp_path) as process:
        wait_for_logs(process, [tmp_path / str(i) / "log.jsonl" for i in range(2)])
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        children = [int(pid) for pid in listed.split()]
        os.kill(process.pid, number)
        process.join(60)
    deadline = time.monotonic() + 120
    while not all(gone(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (tmp_path / "0" / "checkpoint.pt").exists()
    assert not (tmp_path / "2" / "log.jsonl").exists()  # no other run was begun
