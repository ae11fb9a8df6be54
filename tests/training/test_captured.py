"""The logic around a recorded step, with a recorder that runs on the CPU."""

import copy

import pytest
import torch

from disvae import BetaVAEBLoss, BurgessVAE, FactorVAELoss, Trainer
from disvae.losses import AdaGVAELoss, InfoWGANGPLoss, Loss, LossOutput
from disvae.models import Discriminator, InfoGAN2DShapes
from disvae.schedules import Linear
from disvae.training.captured import WARM_UP, CapturedStep


class Source:
    """Batches of one size, but for every fifth if they are uneven; or two at a time."""

    def __init__(self, even: bool = False, pairs: bool = False) -> None:
        self.even, self.pairs = even, pairs

    def __len__(self) -> int:
        return 100

    def batch(self, step: int) -> torch.Tensor | tuple[torch.Tensor, ...]:
        n = 3 if step % 5 == 4 and not self.even else 8
        generator = torch.Generator().manual_seed(step)
        x, other = (torch.rand(n, 1, 16, 16, generator=generator) for _ in range(2))
        return (x, other) if self.pairs else x


class Recorder:
    """Records like a GPU: the work has no effect, a replay writes its results where they were."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.replays = 0

    def __call__(self, work):
        state = self.trainer._state
        optimizer, average = state.optimizer, state.average
        parts = [state.players, optimizer, *([average.module] if average else [])]
        before = [copy.deepcopy(part.state_dict()) for part in parts]
        with torch.random.fork_rng():
            results = work()
        for part, weights in zip(parts, before, strict=True):
            part.load_state_dict(weights)
        for group in optimizer.param_groups:  # loading makes copies, which nobody would fill
            group["lr"] = torch.tensor(float(group["lr"]))

        def replay() -> None:
            self.replays += 1
            for name, value in work().items():
                results[name].copy_(value)

        return replay, results


def make(criterion: Loss, captured: bool, **settings):
    torch.manual_seed(0)
    if isinstance(criterion, InfoWGANGPLoss):
        model = InfoGAN2DShapes((1, 16, 16), normalization="layer")
    else:
        model = BurgessVAE((1, 16, 16), latent_dim=3)
    settings = {"lr": 1e-3, "log_every": 4, **settings}
    trainer = Trainer(model, criterion, accelerator="cpu", progress=False, **settings)
    recorder, said = Recorder(trainer), []
    if captured:
        every = settings.get("decompose_every", 0)
        trainer._training_step = CapturedStep(trainer._training_step, recorder, every, said.append)
    return trainer, recorder, said


def train(
    criterion: Loss, steps: int, captured: bool, even: bool = False, pairs: bool = False, **settings
):
    trainer, recorder, said = make(criterion, captured, **settings)
    record = trainer.fit(Source(even, pairs), steps)
    return [*trainer.model.state_dict().values()], record, recorder.replays, said


def assert_same(found, expected) -> None:
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


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
    assert_same(weights, expected)
    for name in record.keys() & expected_record.keys() - {"images_per_second"}:
        if not name.startswith(("ms_", "peak")):
            assert record[name] == pytest.approx(expected_record[name], rel=1e-3), name


def test_replays_of_a_game_compute_what_the_step_does() -> None:
    """In double precision: what is rounding in one step of a game is not after some."""
    settings = {"precision": "64-true", "even": True}
    criterion = InfoWGANGPLoss(Linear(0.0, 2.0, 20))
    weights, record, replays, said = train(criterion, 8, captured=True, **settings)
    expected, expected_record, _, _ = train(criterion, 8, captured=False, **settings)
    assert (replays, said) == (8 - WARM_UP, [])
    assert_same(weights, expected)
    for name in ("wasserstein", "gradient_penalty", "mutual_information"):
        assert record[name] == pytest.approx(expected_record[name], rel=1e-6)


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


@pytest.mark.parametrize("of_pairs", [False, True])
def test_pairs_of_batches_are_replayed_too(of_pairs) -> None:
    make_loss = AdaGVAELoss if of_pairs else factor_loss
    weights, _, replays, _ = train(make_loss(), 10, captured=True, pairs=True)
    expected, _, _, _ = train(make_loss(), 10, captured=False, pairs=True)
    assert replays > 0
    assert_same(weights, expected)


def test_steps_that_estimate_the_terms_are_taken_as_they_are() -> None:
    settings = {"decompose_every": 5, "even": True, "log_every": 12}
    weights, record, replays, _ = train(factor_loss(), 12, captured=True, **settings)
    expected, expected_record, _, _ = train(factor_loss(), 12, captured=False, **settings)
    assert replays == 12 - WARM_UP - 2  # steps 5 and 10, 0 being one of the first
    assert_same(weights, expected)
    name = "mutual_information"
    assert record[name] == pytest.approx(expected_record[name], rel=1e-3)


@pytest.mark.parametrize("with_files", [False, True])
def test_another_fit_records_anew(tmp_path, with_files) -> None:
    """What was recorded holds the tensors of the state before, which loading replaces."""
    settings = {"lr_factor": Linear(0.0, 1.0, 40), "ema_decay": 0.9}
    captured, recorder, _ = make(factor_loss(), captured=True, **settings)
    plain, _, _ = make(factor_loss(), captured=False, **settings)
    for i, trainer in enumerate((captured, plain)):
        trainer.run_dir = tmp_path / str(i) if with_files else None
        for steps in (10, 20):
            trainer.fit(Source(even=True), steps)
    assert recorder.replays == 2 * (10 - WARM_UP)
    states = [trainer.model.state_dict().values() for trainer in (captured, plain)]
    assert_same(*states)
    moments = [
        trainer._state.optimizer.state_dict()["state"][0]["exp_avg"]
        for trainer in (captured, plain)
    ]
    torch.testing.assert_close(*moments, rtol=1e-4, atol=1e-5)


def test_terms_of_replays_add_up() -> None:
    """The replay overwrites its results: what is summed must be a copy."""
    _, record, replays, _ = train(Counts(), 15, captured=True, log_every=5, even=True)
    assert replays == 15 - WARM_UP
    assert record["step"] == pytest.approx(12)


class Counts(Loss):
    def forward(self, model, batch, step=None):
        number = step if isinstance(step, torch.Tensor) else torch.tensor(step)
        loss = next(model.parameters()).square().sum()
        return LossOutput(loss, {"step": number.float().clone()})
