"""A finished run holds each part of its state once, and still goes on bit for bit."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from disvae import Trainer
from disvae.data import Sprites, random_subset
from disvae.divergence import PermutedRatio
from disvae.losses import WeightedLoss
from disvae.models import MLPVAE, Discriminator
from disvae.training import load_run
from disvae.training.files import read_checkpoint

DATA = random_subset(Sprites(), 16)
AVERAGE = pytest.mark.parametrize("ema_decay", [None, 0.9])


class Killed(BaseException):
    """An end that no handler of errors sees, as of SIGKILL."""


def train(run: Path, steps: int, ema_decay: float | None = None) -> Trainer:
    torch.manual_seed(0)
    model = MLPVAE((1, 64, 64), latent_dim=2, hidden=(16,))
    estimator = PermutedRatio(Discriminator(latent_dim=2, hidden_dim=16, n_hidden=1))
    settings = {"batch_size": 4, "lr": 1e-3, "log_every": 2, "checkpoint_every": 2}
    trainer = Trainer(
        model,
        WeightedLoss(beta=5.0, estimator=estimator),
        run_dir=run,
        ema_decay=ema_decay,
        accelerator="cpu",
        progress=False,
        **settings,
    )
    trainer.fit(DATA, steps)
    return trainer


def weights(run: Path) -> list[bytes]:
    return [(run / f"{part}.safetensors").read_bytes() for part in ("model", "criterion")]


@contextmanager
def killed_before_change(patch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Raise :class:`Killed` before a file is renamed or removed for the ``number``-th time."""
    seen = 0
    replace = Path.replace  # before it is patched

    def counted(change: Any) -> Any:
        def changed(path: Path, *arguments: Any, **options: Any) -> Any:
            nonlocal seen
            if not path.name.endswith(".tmp") or change is replace:
                seen += 1
                if seen > number:
                    raise Killed
            return change(path, *arguments, **options)

        return changed

    with patch.context() as context:
        context.setattr(Path, "replace", counted(Path.replace))
        context.setattr(Path, "unlink", counted(Path.unlink))
        yield


@AVERAGE
def test_a_finished_run_holds_each_weight_and_moment_once(tmp_path, ema_decay) -> None:
    trainer = train(tmp_path, 4, ema_decay)
    n_model, n_loss = (
        sum(p.numel() for p in part.parameters()) for part in (trainer.model, trainer.criterion)
    )
    averages = n_model if ema_decay else 0
    needed = 4 * (3 * (n_model + n_loss) + averages)  # float32: a weight and Adam's two moments
    files = [*tmp_path.glob("*.safetensors"), *tmp_path.glob("*.pt")]
    assert {file.name for file in files} == {
        "model.safetensors",
        "criterion.safetensors",
        "checkpoint.pt",
    }
    assert needed <= sum(file.stat().st_size for file in files) < needed + 20_000


@AVERAGE
def test_a_run_killed_at_any_change_of_a_file_ends_bit_for_bit(
    tmp_path, monkeypatch, ema_decay
) -> None:
    """From the start to its end, and from there to a later end."""
    whole = tmp_path / "whole"
    expected = weights(train(whole, 6, ema_decay).run_dir)
    ends = set()
    for first in (0, 4):
        for number in range(100):
            run = tmp_path / f"{first}-{number}"
            if first:
                train(run, first, ema_decay)
            try:
                with killed_before_change(monkeypatch, number):
                    train(run, 6, ema_decay)
            except Killed:
                ends.add((first, number))
                train(run, 6, ema_decay)
            else:
                assert (first, number - 1) in ends
                break
            assert weights(run) == expected
            assert (run / "log.jsonl").read_text().count("\n") == 3
    assert len(ends) > 20


def test_a_finished_result_stays_until_the_next_end(tmp_path, monkeypatch) -> None:
    """Wherever more steps are killed there is a finished model, and no scores but its own."""
    first, last = (weights(train(tmp_path / f"to-{n}", n).run_dir) for n in (4, 6))
    seen = set()
    for number in range(100):
        run = tmp_path / str(number)
        train(run, 4)
        (run / "evaluation.json").write_text("{}")
        try:
            with killed_before_change(monkeypatch, number):
                train(run, 6)
        except Killed:
            model, criterion = weights(run)
            assert model in (first[0], last[0])
            assert criterion in (first[1], last[1])
            assert load_run(run).model()
            is_new = model == last[0]
            steps = load_run(run).config["steps"]
            assert steps == 4 or is_new
            assert not (is_new and (run / "evaluation.json").exists())
            seen.add((is_new, steps))
            train(run, 4)  # the steps that it has already
            assert load_run(run).model()
        else:
            break
    assert weights(run) == last
    assert load_run(run).config["steps"] == 6
    assert not (run / "evaluation.json").exists()
    assert seen == {(False, 4), (True, 4), (True, 6)}


def test_replaced_weights_are_not_trained_on(tmp_path) -> None:
    train(tmp_path / "run", 2)
    train(tmp_path / "other", 4)
    for damage in (b"", (tmp_path / "other" / "model.safetensors").read_bytes()):
        (tmp_path / "run" / "model.safetensors").write_bytes(damage)
        with pytest.raises(ValueError, match=r"model\.safetensors is missing, damaged or replaced"):
            train(tmp_path / "run", 4)
    assert read_checkpoint(tmp_path / "run" / "checkpoint.pt")["step"] == 2
