import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from disvae import VAE, BetaVAEBLoss, BetaVAEHLoss, BurgessVAE, FactorVAELoss, Loss, VAELoss
from disvae.data import ImageArray
from disvae.losses import LossOutput
from disvae.schedules import Linear
from disvae.training import Trainer
from disvae.training.files import read_checkpoint
from disvae.training.log import MEASURED

SHAPE = (1, 16, 16)


class Noise:
    """A source of batches that are a pure function of the step."""

    def batch(self, step: int) -> torch.Tensor:
        return torch.rand(8, *SHAPE, generator=torch.Generator().manual_seed(step))


class Stops(Noise):
    """Is stopped from outside before the eighth step."""

    def batch(self, step: int) -> torch.Tensor:
        if step == 7:
            raise KeyboardInterrupt
        return super().batch(step)


class Reconstruction(Loss):
    """A loss without randomness: nothing but the optimiser moves the weights."""

    def forward(self, model, batch, step=None):
        loss = (model.reconstruct(batch) - batch).square().flatten(1).sum(1).mean()
        return LossOutput(loss, {"objective": loss.detach(), "count": torch.tensor(float(step))})


class Breaks(Loss):
    """Becomes NaN at one step: its value, or only its gradient (of a square root at 0)."""

    def __init__(self, at: int, value: bool) -> None:
        super().__init__()
        self.at, self.value = at, value

    def forward(self, model, batch, step=None):
        weight = next(model.parameters())
        loss = weight.square().sum()
        if step == self.at:
            loss = loss * float("nan") if self.value else (weight * 0).square().sum().sqrt()
        return LossOutput(loss, {"objective": loss.detach()})


def make_model() -> BurgessVAE:
    torch.manual_seed(0)
    return BurgessVAE(SHAPE, latent_dim=3)


def make_loss(name: str) -> Loss:
    torch.manual_seed(1)
    if name == "factor":
        return FactorVAELoss(3, gamma=5.0, discriminator_lr=1e-3)
    return BetaVAEBLoss(gamma=10.0, capacity=Linear(0.0, 5.0, steps=10))


def make_trainer(criterion: Loss, model: nn.Module | None = None, **settings) -> Trainer:
    settings = {"accelerator": "cpu", "progress": False, "log_every": 3, **settings}
    return Trainer(model or make_model(), criterion, **settings)


def state(trainer: Trainer) -> list[torch.Tensor]:
    return [*trainer.model.state_dict().values(), *trainer.criterion.state_dict().values()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def read_log(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    for line in lines:
        assert {"images_per_second", "ms_forward", "peak_memory_mib"} < line.keys()
        assert min(line.pop(name) for name in MEASURED if name in line) > 0
    return lines


def test_trains_as_a_plain_loop_does():
    trainer = make_trainer(Reconstruction(), lr=1e-3)
    trainer.fit(Noise(), steps=5)

    model, criterion = make_model(), Reconstruction()
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, 1e-3), fused=True)
    for step in range(5):
        loss = criterion(model, Noise().batch(step), step).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert same(state(trainer), list(model.state_dict().values()))


def test_leaves_the_global_generator_alone_and_does_not_depend_on_it():
    results = []
    for seed in (1, 2):
        trainer = make_trainer(make_loss("factor"))
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        trainer.fit(Noise(), steps=2)
        assert torch.equal(before, torch.get_rng_state())
        results.append(state(trainer))
    assert same(*results)


def test_the_seed_changes_the_draws():
    results = []
    for seed in (0, 1):
        trainer = make_trainer(VAELoss(), seed=seed)
        trainer.fit(Noise(), steps=1)
        results.append(state(trainer))
    assert not same(*results)


@pytest.mark.parametrize("name", ["factor", "burgess"])
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path, name):
    whole = make_trainer(make_loss(name), run_dir=tmp_path / "whole")
    whole.fit(Noise(), steps=9)

    # The checkpoint at 4 lies between two log points: the means so far must come back as well.
    settings = {"run_dir": tmp_path / "parts", "checkpoint_every": 4}
    with pytest.raises(KeyboardInterrupt):
        make_trainer(make_loss(name), **settings).fit(Stops(), steps=9)
    with (tmp_path / "parts" / "log.jsonl").open("a") as log:
        log.write('{"step": 9, "obj')  # a process that was killed as it wrote
    resumed = make_trainer(make_loss(name), model=BurgessVAE(SHAPE, latent_dim=3), **settings)
    resumed.fit(Noise(), steps=9)

    assert same(state(whole), state(resumed))
    for file in ("model.safetensors", "criterion.safetensors"):
        a, b = tmp_path / "whole" / file, tmp_path / "parts" / file
        assert a.read_bytes() == b.read_bytes()
    assert read_log(tmp_path / "parts") == read_log(tmp_path / "whole")


def test_a_second_call_goes_on_without_a_run_directory_too():
    once, twice = make_trainer(make_loss("factor")), make_trainer(make_loss("factor"))
    once.fit(Noise(), steps=4)
    twice.fit(Noise(), steps=2)
    twice.fit(Noise(), steps=4)
    assert same(state(once), state(twice))


def test_a_finished_run_is_left_alone(tmp_path, capsys):
    make_trainer(VAELoss(), run_dir=tmp_path).fit(Noise(), steps=3)
    files = {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    again = make_trainer(VAELoss(), run_dir=tmp_path, progress=True)
    assert again.fit(Noise(), steps=3) == {}
    assert "nothing to do: 3 of 3 steps" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == files


def test_logs_the_mean_of_the_steps_since_the_last_line(tmp_path):
    trainer = make_trainer(Reconstruction(), run_dir=tmp_path, log_every=4)
    last = trainer.fit(Noise(), steps=10)
    log = read_log(tmp_path)
    assert [line["step"] for line in log] == [4, 8, 10]
    assert [line["count"] for line in log] == [1.5, 5.5, 8.5]  # of 0..3, of 4..7, of 8 and 9
    assert last["objective"] == log[-1]["objective"] == log[-1]["loss"]


def test_writes_curves_for_tensorboard(tmp_path):
    make_trainer(VAELoss(), run_dir=tmp_path).fit(Noise(), steps=3)
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"reconstruction" in events.read_bytes()


@pytest.mark.parametrize(
    ("value", "what"),
    [(True, "step 4 is the mean of 'loss'"), (False, "weight is not finite after step 4")],
)
def test_divergence_is_named_and_the_last_checkpoint_kept(tmp_path, value, what):
    def trainer() -> Trainer:
        return make_trainer(Breaks(3, value), run_dir=tmp_path, checkpoint_every=2)

    with pytest.raises(FloatingPointError, match=what):
        trainer().fit(Noise(), steps=9)
    survivor = trainer()
    with pytest.raises(FloatingPointError):
        survivor.fit(Noise(), steps=9)
    checkpoint = read_checkpoint(tmp_path / "checkpoint.pt")
    assert checkpoint["step"] == 2
    weights = [*checkpoint["model"].values(), *checkpoint["criterion"].values()]
    assert all(weight.isfinite().all() for weight in weights)
    assert not (tmp_path / "model.safetensors").exists()


def test_batches_reach_the_loss_untouched():
    class Pairs(Noise):
        def batch(self, step):
            return super().batch(2 * step), super().batch(2 * step + 1)

    seen = []

    class Sees(Reconstruction):
        def forward(self, model, batch, step=None):
            seen.append(batch)
            return super().forward(model, batch[0], step)

    make_trainer(Sees()).fit(Pairs(), steps=2)
    assert torch.equal(seen[1][1], Noise().batch(3))


def test_any_modules_can_be_trained_and_resumed(tmp_path):
    def trainer() -> Trainer:
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(256, 6))
        decoder = nn.Sequential(nn.Linear(3, 256), nn.Unflatten(1, SHAPE))
        return make_trainer(VAELoss(), VAE(encoder, decoder, latent_dim=3), run_dir=tmp_path)

    trainer().fit(Noise(), steps=2)
    resumed = trainer()
    resumed.fit(Noise(), steps=4)
    assert resumed.step == 4


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true", "64-true"])
def test_precisions(precision):
    trainer = make_trainer(VAELoss(), precision=precision)
    record = trainer.fit(Noise(), steps=3)
    expected = {"bf16-true": torch.bfloat16, "64-true": torch.float64}
    assert next(trainer.model.parameters()).dtype == expected.get(precision, torch.float32)
    assert record["kl"] >= 0


def test_bfloat16_stays_near_float32():
    losses = [
        make_trainer(BetaVAEHLoss(), precision=precision).fit(Noise(), steps=3)["loss"]
        for precision in ("32-true", "bf16-mixed")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    assert losses[0] != losses[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0.0}, "lr must be positive"),
        ({"lr": float("nan")}, "lr must be positive"),
        ({"batch_size": 0}, "batch_size must be positive"),
        ({"log_every": 0}, "log_every must be positive"),
        ({"checkpoint_every": -1}, "checkpoint_every must be positive"),
        ({"seed": -1}, "seed must not be negative"),
        ({"precision": "16-mixed"}, "precision must be in"),
    ],
)
@pytest.mark.untyped
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        make_trainer(VAELoss(), **settings)


def test_steps_are_checked():
    with pytest.raises(ValueError, match="steps must be positive"):
        make_trainer(VAELoss()).fit(Noise(), steps=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="accelerator 'cuda'"):
        make_trainer(VAELoss(), accelerator="cuda")


def test_networks_of_a_loss_are_trained():
    class Own(VAELoss):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

    criterion, model = Own(), make_model()
    groups = criterion.parameter_groups(model, lr=1e-3)
    grouped = [parameter for group in groups for parameter in group["params"]]
    assert {id(p) for p in grouped} == {
        id(p) for p in (*model.parameters(), *criterion.parameters())
    }
    assert len(VAELoss().parameter_groups(model, lr=1e-3)) == 1


@pytest.mark.parametrize("criterion", [VAELoss, lambda: FactorVAELoss(3)])
def test_terms_of_the_kl_are_logged_now_and_then(criterion, tmp_path) -> None:
    images = torch.randint(256, (50, *SHAPE)).to(torch.uint8)

    def train(run_dir, **settings):
        torch.manual_seed(0)
        trainer = Trainer(
            make_model(),
            criterion(),
            batch_size=8,
            run_dir=run_dir,
            log_every=3,
            progress=False,
            **settings,
        )
        trainer.fit(ImageArray(images), steps=9)
        lines = (run_dir / "log.jsonl").read_text().splitlines()
        return trainer, [json.loads(line) for line in lines]

    plain, _ = train(tmp_path / "plain")
    reporting, log = train(tmp_path / "reporting", decompose_every=6, estimator="mss")
    for a, b in zip(plain.model.parameters(), reporting.model.parameters(), strict=True):
        assert torch.equal(a, b)  # the same training
    # Estimated at steps 0 and 6, which are in the first and the third of three lines.
    assert ["mutual_information" in line for line in log] == [True, False, True]
    assert log[0]["mutual_information"] > 0
    config = yaml.safe_load((tmp_path / "reporting/config.yaml").read_text())
    assert (config["decompose_every"], config["estimator"]) == (6, "mss")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decompose_every": -1}, "decompose_every must not be negative"),
        ({"estimator": "exact"}, "unknown estimator 'exact'"),
        ({"decompose_every": 5}, "a Noise has no len"),
    ],
)
def test_refuses_to_decompose(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Trainer(make_model(), VAELoss(), progress=False, **settings).fit(Noise(), steps=1)


def test_other_loggers_get_every_line(tmp_path) -> None:
    from lightning_fabric.loggers import CSVLogger

    logger = CSVLogger(tmp_path, name="csv", flush_logs_every_n_steps=1)
    make_trainer(make_loss("burgess"), loggers=[logger], run_dir=tmp_path / "run").fit(Noise(), 7)
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [int(row["step"]) for row in rows] == [3, 6, 7]
    assert [float(row["loss"]) for row in rows] == [line["loss"] for line in lines]


def test_pictures_are_shown_of_data_sets(tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    images = ImageArray(torch.randint(0, 2, (20, *SHAPE), dtype=torch.uint8), max_value=1)
    settings = {"batch_size": 8, "checkpoint_every": 2, "run_dir": tmp_path}
    make_trainer(make_loss("factor"), **settings).fit(images, 4)
    events = EventAccumulator(str(tmp_path / "tensorboard"), {"histograms": 0})
    events.Reload()
    assert [image.step for image in events.Images("reconstructions")] == [2, 4]
    assert [histogram.step for histogram in events.Histograms("codes/2")] == [2, 4]
