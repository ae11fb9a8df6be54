"""What training promises, on a GPU."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from losses.test_contract import BATCH, CONTRACT, model_of

from disvae import (
    BetaTCVAELoss,
    BetaVAEBLoss,
    BetaVAEHLoss,
    BurgessVAE,
    FactorVAELoss,
    Loss,
    Trainer,
    VAELoss,
)
from disvae.data import Sprites, random_subset
from disvae.metrics import evaluate_model
from disvae.models import BroadcastVAE, Discriminator
from disvae.schedules import Linear
from disvae.training import decompose_dataset, train_ensemble
from disvae.training.captured import CapturedStep

pytestmark = pytest.mark.gpu

STEPS = 12
LOSSES: dict[str, Callable[[], Loss]] = {
    "vae": lambda: VAELoss(),
    "beta_vae_h": lambda: BetaVAEHLoss(4.0),
    "beta_vae_b": lambda: BetaVAEBLoss(100.0, capacity=Linear(0.0, 25.0, steps=10)),
    "factor_vae": lambda: FactorVAELoss(10, 35.0, Discriminator(10, 100, n_hidden=3)),
    "beta_tcvae": lambda: BetaTCVAELoss(1_000, beta=Linear(1.0, 6.0, steps=10)),
}


@pytest.fixture(scope="module")
def sprites():
    return random_subset(Sprites(), 1_000, seed=0)


def trainer(name: str = "factor_vae", network: type = BurgessVAE, **settings) -> Trainer:
    torch.manual_seed(settings.get("seed", 0))
    model, criterion = network((1, 64, 64), latent_dim=10), LOSSES[name]()
    settings = {"precision": "32-true", "lr": 1e-3, "log_every": 4, **settings}
    return Trainer(model, criterion, accelerator="cuda", progress=False, **settings)


def weights(trainer: Trainer) -> list[torch.Tensor]:
    states = trainer.model.state_dict(), trainer.criterion.state_dict()
    return [value.cpu() for state in states for value in state.values()]


def assert_same(one: list[torch.Tensor], other: list[torch.Tensor]) -> None:
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def is_captured(trainer: Trainer) -> bool:
    step = trainer._training_step
    return isinstance(step, CapturedStep) and step._replay is not None and not step._failed


@pytest.mark.parametrize("network", [BurgessVAE, BroadcastVAE])
@pytest.mark.parametrize("name", LOSSES)
def test_a_captured_step_is_the_step(name: str, network: type, sprites) -> None:
    found = []
    for fast in (False, True):
        one = trainer(name, network, fast=fast, lr_factor=Linear(0.0, 1.0, steps=5), ema_decay=0.9)
        one.fit(sprites, STEPS)
        assert is_captured(one) == fast
        found.append(weights(one))
    assert_same(*found)


class Source:
    """Batches of what a loss takes."""

    def __init__(self, name: str) -> None:
        self.make = BATCH.get(name, lambda x: x)

    def __len__(self) -> int:
        return 1_000

    def batch(self, step: int):
        generator = torch.Generator().manual_seed(step)
        batch = self.make(torch.rand(16, 1, 8, 8, generator=generator))
        return tuple(p.cuda() for p in batch) if isinstance(batch, tuple) else batch.cuda()


@pytest.mark.parametrize("name", CONTRACT)
def test_every_loss_is_captured(name: str, capsys) -> None:
    one = Trainer(model_of(name), CONTRACT[name](), accelerator="cuda", precision="32-true")
    one.fit(Source(name), 8)
    assert is_captured(one), capsys.readouterr().err


@pytest.mark.parametrize("name", LOSSES)
def test_a_run_goes_on_exactly(name: str, sprites, tmp_path: Path) -> None:
    whole = trainer(name)
    whole.fit(sprites, STEPS)
    trainer(name, run_dir=tmp_path / "run").fit(sprites, 5)
    rest = trainer(name, run_dir=tmp_path / "run")
    rest.fit(sprites, STEPS)
    assert_same(weights(rest), weights(whole))


def test_runs_at_once_are_the_runs_alone(sprites, tmp_path: Path) -> None:
    several = [trainer(name, run_dir=tmp_path / name, seed=i) for i, name in enumerate(LOSSES)]
    train_ensemble(several, sprites, STEPS, progress=False)
    for i, name in enumerate(LOSSES):
        alone = trainer(name, seed=i)
        alone.fit(sprites, STEPS)
        assert_same(weights(several[i]), weights(alone))


@pytest.mark.parametrize("precision", ["tf32", "bf16-mixed", "auto"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_lower_precision_trains_the_same(name: str, precision: str, sprites) -> None:
    exact = trainer(name).fit(sprites, STEPS)
    one = trainer(name, precision=precision)
    record = one.fit(sprites, STEPS)
    assert is_captured(one)
    assert record["reconstruction"] == pytest.approx(exact["reconstruction"], rel=0.02)
    if precision == "auto":
        assert one.conditions.precision in ("32-true", "bf16-mixed")


def test_scores_and_terms_are_those_of_the_cpu(sprites) -> None:
    model = trainer().model
    found = []
    for device in ("cpu", "cuda"):
        model.to(device)
        scores = evaluate_model(model, sprites, n=500, metrics=["MIG", "SAP"], progress=False)
        terms = decompose_dataset(
            model, sprites, 100, generator=torch.Generator().manual_seed(0), progress=False
        )
        found.append([*map(float, scores.values()), float(terms.mean.total_correlation)])
    assert found[1] == pytest.approx(found[0], abs=0.01)  # a code may fall into another bin
