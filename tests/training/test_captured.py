"""The logic around a recorded step, with a recorder that runs on the CPU."""

import copy

import pytest
import torch

from disvae import BetaVAEBLoss, BurgessVAE, FactorVAELoss, Trainer
from disvae.losses import Loss, LossOutput
from disvae.models import Discriminator
from disvae.schedules import Linear
from disvae.training.captured import WARM_UP, CapturedStep


class Source:
    """Batches of one size, but for every fifth."""

    def batch(self, step: int) -> torch.Tensor:
        n = 3 if step % 5 == 4 else 8
        return torch.rand(n, 1, 16, 16, generator=torch.Generator().manual_seed(step))


class Recorder:
    """Records like a GPU: the work has no effect, a replay writes its results where they were."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.replays = 0

    def __call__(self, work):
        optimizer, average = self.trainer._optimizer, self.trainer._average
        parts = [self.trainer._players, optimizer, *([average.module] if average else [])]
        before = [copy.deepcopy(part.state_dict()) for part in parts]
        with torch.random.fork_rng():
            results = work()
        for part, state in zip(parts, before, strict=True):
            part.load_state_dict(state)
        for group in optimizer.param_groups:  # loading makes copies, which nobody would fill
            group["lr"] = torch.tensor(float(group["lr"]))

        def replay() -> None:
            self.replays += 1
            for name, value in work().items():
                results[name].copy_(value)

        return replay, results


def train(criterion: Loss, steps: int, captured: bool, **settings):
    torch.manual_seed(0)
    model = BurgessVAE((1, 16, 16), latent_dim=3)
    settings = {"lr": 1e-3, "log_every": 4, **settings}
    trainer = Trainer(model, criterion, accelerator="cpu", progress=False, **settings)
    recorder, said = Recorder(trainer), []
    if captured:
        every = settings.get("decompose_every", 0)
        trainer._training_step = CapturedStep(trainer._training_step, recorder, every, said.append)
    record = trainer.fit(Source(), steps)
    return [*model.state_dict().values()], record, recorder.replays, said


def factor_loss() -> Loss:
    torch.manual_seed(1)
    return FactorVAELoss(3, Linear(0.0, 30.0, 20), Discriminator(3, 8, 1), 1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lr_factor": Linear(0.0, 1.0, 15), "max_gradient": 5.0},
        {"ema_decay": 0.9},
    ],
)
@pytest.mark.parametrize(
    "loss", [factor_loss, lambda: BetaVAEBLoss(10.0, capacity=Linear(0.0, 5.0, 20))]
)
def test_replays_compute_what_the_step_does(loss, settings) -> None:
    weights, record, replays, said = train(loss(), 20, captured=True, **settings)
    expected, expected_record, _, _ = train(loss(), 20, captured=False, **settings)
    assert said == []
    assert replays == 20 - WARM_UP - 4  # all but the first ones and those of another size
    for a, b in zip(weights, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    for name in record.keys() & expected_record.keys() - {"images_per_second"}:
        if not name.startswith(("ms_", "peak")):
            assert record[name] == pytest.approx(expected_record[name], rel=1e-3), name


class Reads(Loss):
    """A loss that cannot be recorded."""

    def forward(self, model, batch, step=None):
        if isinstance(step, torch.Tensor):
            raise RuntimeError("operation not permitted when stream is capturing\nand so on")
        loss = (model.reconstruct(batch) - batch).square().flatten(1).sum(1).mean()
        return LossOutput(loss, {"objective": loss.detach()})


def test_what_cannot_be_recorded_is_said_and_trained_all_the_same() -> None:
    weights, _, replays, said = train(Reads(), 8, captured=True)
    expected, _, _, _ = train(Reads(), 8, captured=False)
    assert replays == 0
    assert said == [
        "this step cannot be captured (operation not permitted when stream is capturing): it is "
        "taken as it is"
    ]
    assert all(torch.equal(a, b) for a, b in zip(weights, expected, strict=True))


def test_terms_of_replays_add_up() -> None:
    """The replay overwrites its results: what is summed must be a copy."""
    _, record, _, _ = train(Counts(), 8, captured=True, log_every=8)
    assert record["step"] == pytest.approx(sum(range(8)) / 8)


class Counts(Loss):
    def forward(self, model, batch, step=None):
        number = step if isinstance(step, torch.Tensor) else torch.tensor(step)
        loss = next(model.parameters()).square().sum()
        return LossOutput(loss, {"step": number.float().clone()})
