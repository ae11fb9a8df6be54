"""SIGTERM, a second trainer, damaged checkpoints and a full disk: nothing is lost."""

import errno
import os
import signal
import threading
import time
from pathlib import Path

import interpreter
import pytest
import torch
from filelock import FileLock

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training.files import read_checkpoint
from disvae.training.log import Log
from disvae.training.stopping import locked, stop_requests

DATA = random_subset(Sprites(), 16)


def trainer(run, **settings):
    torch.manual_seed(0)
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    settings = {"batch_size": 4, "log_every": 2, "checkpoint_every": 2} | settings
    return Trainer(model, VAELoss(), run_dir=run, accelerator="cpu", **settings)


def weights(run):
    return (run / "model.safetensors").read_bytes()


class StopsItself:
    """A source of batches that sends a signal to its own process at a step."""

    def __init__(self, step, number=signal.SIGTERM, times=1) -> None:
        self.step, self.number, self.times = step, number, times

    def batch(self, step):
        if step == self.step:
            for _ in range(self.times):
                os.kill(os.getpid(), self.number)
        return DATA.images(torch.arange(4) + step % 12).float()


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_signal_saves_the_step_and_the_run_goes_on(tmp_path, capsys, number, error) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    trainer(whole, checkpoint_every=100).fit(StopsItself(None), steps=7)
    before = signal.getsignal(number)
    with pytest.raises(error) as ended:
        trainer(stopped, checkpoint_every=100).fit(StopsItself(4, number), steps=7)
    assert getattr(ended.value, "code", 143) == 143
    assert signal.getsignal(number) is before
    assert "after step 5, which is saved" in capsys.readouterr().err
    assert read_checkpoint(stopped / "checkpoint.pt")["step"] == 5
    trainer(stopped, checkpoint_every=100).fit(StopsItself(None), steps=7)
    assert weights(stopped) == weights(whole)


def test_a_second_interrupt_is_not_waited_for(tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path, checkpoint_every=100).fit(StopsItself(4, signal.SIGINT, 2), steps=7)
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_command_ends_with_the_status_of_the_signal(tmp_path, number, status) -> None:
    command = ["disvae.cli", "train", "--steps", "100000"]
    command += ["--n_images", "32", "--batch_size", "4", "--log_every", "1", "--run_dir"]
    command += [str(tmp_path / "run"), "--accelerator", "cpu", "--model.latent_dim", "2"]
    output = tmp_path / "output.txt"
    with interpreter.running(*command, output=output) as process:
        log = tmp_path / "run" / "log.jsonl"
        deadline = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
            assert process.exitcode is None
            time.sleep(0.05)
        os.kill(process.pid, number)
        process.join(60)
        assert process.exitcode == status
    printed = output.read_text()
    assert "which is saved: start again" in printed
    assert "Traceback" not in printed
    assert read_checkpoint(tmp_path / "run" / "checkpoint.pt")["step"] > 0


def test_without_a_run_directory_sigterm_is_left_alone() -> None:
    class Looks(StopsItself):
        def batch(self, step):
            handlers.append(signal.getsignal(signal.SIGTERM))
            return super().batch(step)

    handlers: list[object] = []
    trainer(None).fit(Looks(None), steps=1)
    assert handlers == [signal.getsignal(signal.SIGTERM)]


def test_outside_of_the_main_thread_nothing_is_noted() -> None:
    found = []

    def work():
        with stop_requests() as request:
            found.append(request.received)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


def test_two_trainers_do_not_share_a_run_directory(tmp_path) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(ValueError, match="another process trains in"):
        trainer(tmp_path).fit(DATA, steps=2)
    trainer(tmp_path).fit(DATA, steps=2)  # and the lock is gone with its holder
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    trainer(tmp_path).fit(DATA, steps=4)


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_of_a_damaged_checkpoint_the_one_before_is_used(tmp_path, capsys, damage) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    trainer(whole).fit(StopsItself(None), steps=8)
    with pytest.raises(SystemExit):
        trainer(damaged).fit(StopsItself(4), steps=8)
    file = damaged / "checkpoint.pt"
    assert read_checkpoint(damaged / "checkpoint.previous.pt")["step"] == 4
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        file.unlink()
    capsys.readouterr()
    trainer(damaged).fit(StopsItself(None), steps=8)
    printed = capsys.readouterr().err
    assert "Going on from the one before it, checkpoint.previous.pt" in printed
    assert "going on from step 4" in printed
    assert weights(damaged) == weights(whole)


def test_two_damaged_checkpoints_are_refused(tmp_path) -> None:
    with pytest.raises(SystemExit):
        trainer(tmp_path).fit(StopsItself(4), steps=8)
    for file in tmp_path.glob("checkpoint*.pt"):
        file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"checkpoint.previous.pt cannot be read"):
        trainer(tmp_path).fit(StopsItself(None), steps=8)


def test_a_full_disk_is_said_and_the_last_checkpoint_is_whole(
    tmp_path, monkeypatch, capsys
) -> None:
    trainer(tmp_path).fit(DATA, steps=4)
    expected = (tmp_path / "checkpoint.pt").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("disvae.files.os.fsync", full)
        with pytest.raises(OSError, match=r"cannot write .*No space.*what was there is intact"):
            trainer(tmp_path).fit(DATA, steps=8)
    assert (tmp_path / "checkpoint.pt").read_bytes() == expected
    assert not list(tmp_path.glob(".*.tmp"))
    assert trainer(tmp_path).fit(DATA, steps=8)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_the_log_is_said(tmp_path) -> None:
    log = Log(tmp_path, 0)
    log.close()
    log._file = Path("/dev/full").open("w")  # noqa: SIM115
    with pytest.raises(OSError, match=r"cannot write /dev/full .*the last checkpoint is kept"):
        log.write(1, {"loss": 2.0})
    with pytest.raises(OSError, match="No space"):
        log._file.close()
