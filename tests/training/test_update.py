"""Scheduled learning rates and bounded gradients, through the trainer and by hand."""

import json

import pytest
import torch

from disvae import BurgessVAE, FactorVAELoss, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.models import Discriminator
from disvae.schedules import Linear
from disvae.training.update import Update

DATA = random_subset(Sprites(), 16)


def weight(value=3.0):
    return torch.nn.Parameter(torch.tensor([value]))


def test_rates_are_a_function_of_the_step() -> None:
    model, opponent = weight(), weight()
    groups = [{"params": [model], "lr": 0.1}, {"params": [opponent], "lr": 0.4}]
    optimizer = torch.optim.SGD(groups)
    update = Update(optimizer, Linear(0.0, 1.0, 10), None)
    for step, factor in ((0, 0.0), (5, 0.5), (20, 1.0), (5, 0.5)):
        before = model.item(), opponent.item()
        for parameter in (model, opponent):
            parameter.grad = torch.ones(1)
        update.set_rates(step)
        assert update() == {}
        assert before[0] - model.item() == pytest.approx(0.1 * factor, abs=1e-6)
        assert before[1] - opponent.item() == pytest.approx(0.4 * factor, abs=1e-6)


def test_gradients_of_both_players_are_bounded_apart() -> None:
    model, opponent = weight(), weight()
    optimizer = torch.optim.SGD([{"params": [model]}, {"params": [opponent]}], lr=1.0)
    model.grad, opponent.grad = torch.tensor([8.0]), torch.tensor([0.5])
    terms = Update(optimizer, 1.0, 2.0)()
    assert terms["gradient_norm"].item() == pytest.approx(8.0)
    assert model.item() == pytest.approx(3 - 2.0, abs=1e-5)
    assert opponent.item() == pytest.approx(3 - 0.5)


def train(run, steps, **settings):
    torch.manual_seed(0)
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    criterion = FactorVAELoss(2, discriminator=Discriminator(2, 8, 1))
    arguments = {"lr": 1e-3, "batch_size": 4, "log_every": 1, "checkpoint_every": 2}
    trainer = Trainer(
        model, criterion, run_dir=run, accelerator="cpu", progress=False, **arguments, **settings
    )
    trainer.fit(DATA, steps=steps)
    return model


def test_a_run_resumes_with_its_schedule(tmp_path) -> None:
    settings = {"lr_factor": Linear(0.0, 1.0, 6), "max_gradient": 50.0}
    whole = train(tmp_path / "whole", 5, **settings)
    train(tmp_path / "stopped", 3, **settings)
    resumed = train(tmp_path / "stopped", 5, **settings)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    lines = (tmp_path / "whole" / "log.jsonl").read_text().splitlines()
    assert all(json.loads(line)["gradient_norm"] > 0 for line in lines)
    with pytest.raises(ValueError, match=r"max_gradient was 50\.0 and is now 40\.0"):
        train(tmp_path / "whole", 6, **(settings | {"max_gradient": 40.0}))


def test_a_factor_of_zero_leaves_the_weights() -> None:
    torch.manual_seed(0)
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    before = [parameter.clone() for parameter in model.parameters()]
    trainer = Trainer(model, VAELoss(), batch_size=4, lr_factor=0.0, progress=False)
    trainer.fit(DATA, steps=2)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_bound_is_positive() -> None:
    with pytest.raises(ValueError, match="max_gradient must be positive"):
        Trainer(BurgessVAE((1, 64, 64), latent_dim=2), VAELoss(), max_gradient=0.0)
