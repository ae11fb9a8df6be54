import pytest
import torch

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.training import load_run

SETTINGS = {"batch_size": 4, "accelerator": "cpu", "progress": False}


def train(run, steps, **settings):
    torch.manual_seed(5)
    model = BurgessVAE((1, 64, 64), latent_dim=3)
    trainer = Trainer(model, VAELoss(), run_dir=run, **{**SETTINGS, **settings})
    trainer.fit(random_subset(Sprites(), 12, seed=0), steps=steps)
    return trainer


def weights(run) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (run / "weights").iterdir()}


def test_weights_are_kept_from_the_untrained_model_on(tmp_path):
    train(tmp_path / "short", steps=2)
    trainer = train(tmp_path / "long", steps=5, keep_every=2)
    run = load_run(tmp_path / "long")
    assert run.kept_steps() == [0, 2, 4]
    torch.manual_seed(5)
    untrained = BurgessVAE((1, 64, 64), latent_dim=3)
    after_two = load_run(tmp_path / "short").model()
    x = torch.rand(2, 1, 64, 64)
    assert torch.equal(run.kept_model(0).represent(x), untrained.represent(x))
    assert torch.equal(run.kept_model(2).represent(x), after_two.represent(x))
    assert not torch.equal(run.kept_model(4).represent(x), trainer.model.represent(x))


def test_a_run_that_was_stopped_keeps_the_same(tmp_path):
    train(tmp_path / "whole", steps=5, keep_every=2)
    train(tmp_path / "parts", steps=3, keep_every=2)
    train(tmp_path / "parts", steps=5, keep_every=2)
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")


def test_a_run_may_go_on_with_another_interval(tmp_path):
    train(tmp_path, steps=2)
    assert load_run(tmp_path).kept_steps() == []
    train(tmp_path, steps=6, keep_every=3)
    assert load_run(tmp_path).kept_steps() == [3, 6]


def test_the_average_is_kept_if_there_is_one(tmp_path):
    trainer = train(tmp_path, steps=2, keep_every=2, ema_decay=0.5)
    x = torch.rand(2, 1, 64, 64)
    kept = load_run(tmp_path).kept_model(2)
    assert torch.equal(kept.represent(x), trainer.averaged.represent(x))
    assert not torch.equal(kept.represent(x), trainer.model.represent(x))


def test_what_was_not_kept_is_said(tmp_path):
    train(tmp_path, steps=2, keep_every=2)
    with pytest.raises(FileNotFoundError, match=r"no weights of step 1, only of \[0, 2\]"):
        load_run(tmp_path).kept_model(1)
    with pytest.raises(ValueError, match="keep_every must not be negative, got -1"):
        train(tmp_path, steps=2, keep_every=-1)
