import json

import pytest
import torch

from disvae import BurgessVAE, Loss, Trainer
from disvae.data import Sprites, random_subset
from disvae.losses import LossOutput
from disvae.training import load_run
from disvae.training.files import read_checkpoint
from disvae.training.monitor import Monitor

SHAPE = (1, 16, 16)


class Scripted(Loss):
    """Reports numbers of a list, and moves the weights a little."""

    def __init__(self, numbers: list[float]) -> None:
        super().__init__()
        self.numbers = numbers

    def forward(self, model, batch, step=None):
        loss = 1e-3 * next(model.parameters()).sum()
        return LossOutput(loss, {"score": torch.tensor(self.numbers[step])})


class Noise:
    def batch(self, step: int) -> torch.Tensor:
        return torch.zeros(2, *SHAPE)


def trainer(run, numbers, **settings) -> Trainer:
    torch.manual_seed(0)
    model = BurgessVAE(SHAPE, latent_dim=2)
    settings = {"log_every": 1, "checkpoint_every": 2, "monitor": "score", **settings}
    return Trainer(
        model, Scripted(numbers), run_dir=run, accelerator="cpu", progress=False, **settings
    )


def test_the_lowest_of_all_is_the_best() -> None:
    monitor = Monitor("a", None)
    assert [monitor.is_best({"a": x}) for x in (3.0, 2.0, 2.5, 2.0, 1.0)] == [1, 1, 0, 0, 1]
    assert not monitor.exhausted


def test_the_highest_with_a_minus() -> None:
    monitor = Monitor("-a", 2)
    assert [monitor.is_best({"a": x}) for x in (3.0, 2.0, 5.0, 4.0)] == [1, 0, 1, 0]
    assert not monitor.exhausted
    monitor.is_best({"a": 5.0})
    assert monitor.exhausted


def test_nothing_monitored_is_never_best() -> None:
    monitor = Monitor(None, None)
    assert not monitor.is_best({"a": 1.0})
    assert not monitor.exhausted


@pytest.mark.parametrize(
    ("name", "patience", "message"),
    [
        (None, 3, "needs monitor"),
        ("loss", 0, "patience must be at least 1"),
        ("images_per_second", None, "matter of the machine"),
    ],
)
def test_settings_are_checked(name, patience, message) -> None:
    with pytest.raises(ValueError, match=message):
        trainer(None, [], monitor=name, patience=patience)


def test_an_unknown_quantity_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no 'speed' to monitor; it has loss, score"):
        trainer(None, [1.0], monitor="speed").fit(Noise(), 1)


def test_training_ends_and_the_best_is_kept(tmp_path) -> None:
    numbers = [5.0, 4.0, 3.0, 3.5, 3.2, 3.1, 1.0, 1.0]
    patient = trainer(tmp_path / "run", numbers, patience=3)
    patient.fit(Noise(), 8)
    assert patient.step == 6
    best = json.loads((tmp_path / "run" / "best.json").read_text())
    assert best["step"] == 3
    assert best["score"] == 3.0
    reference = trainer(None, numbers)
    reference.fit(Noise(), 3)
    run = load_run(tmp_path / "run")
    config = read_checkpoint(tmp_path / "run" / "checkpoint.pt")
    assert config["step"] == 6
    from safetensors.torch import load_file

    kept = load_file(run.path / "best.safetensors")
    for name, weight in reference.model.state_dict().items():
        assert torch.equal(kept[name], weight)


def test_a_run_that_has_ended_early_stays_so_and_a_killed_one_ends_alike(tmp_path) -> None:
    numbers = [5.0, 4.0, 4.5, 4.2, 3.0, 3.0]
    trainer(tmp_path / "run", numbers, patience=2).fit(Noise(), 3)
    resumed = trainer(tmp_path / "run", numbers, patience=2)
    assert resumed.fit(Noise(), 6) != {}
    assert resumed.step == 4
    again = trainer(tmp_path / "run", numbers, patience=2)
    assert again.fit(Noise(), 6) == {}
    assert again.step == 4
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_best_weights_are_asked_for_by_name(tmp_path) -> None:
    from disvae import VAELoss
    from disvae.data import Sprites, random_subset

    data = random_subset(Sprites(), 16)
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    for name, monitor in (("with", "objective"), ("without", None)):
        settings = {"batch_size": 4, "log_every": 1, "accelerator": "cpu", "progress": False}
        run = tmp_path / name
        Trainer(model, VAELoss(), run_dir=run, monitor=monitor, **settings).fit(data, 2)
    assert load_run(tmp_path / "with").model(best=True).latent_dim == 2
    with pytest.raises(FileNotFoundError, match="keeps no best weights: train with monitor"):
        load_run(tmp_path / "without").model(best=True)


class RuinsItself(Loss):
    """A finite term, ever lower, whose gradient is not finite at the third step."""

    def forward(self, model, batch, step=None):
        weight = next(model.parameters())
        factor = float("nan") if step == 2 else 1.0
        loss = (weight * 0).sum() * 1.0 - step
        weight.register_hook(lambda gradient: gradient * factor)
        return LossOutput(loss, {"objective": loss.detach()})


def test_ruined_weights_are_never_the_best(tmp_path) -> None:
    model = BurgessVAE((1, 64, 64), latent_dim=2)
    settings = {"monitor": "objective", "log_every": 1, "batch_size": 2, "progress": False}
    run = Trainer(model, RuinsItself(), run_dir=tmp_path, accelerator="cpu", **settings)
    with pytest.raises(FloatingPointError, match="not finite after step 3"):
        run.fit(random_subset(Sprites(), 4), steps=5)
    kept = load_run(tmp_path).model(best=True)
    assert all(weight.isfinite().all() for weight in kept.parameters())
