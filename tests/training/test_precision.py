import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from disvae import BurgessVAE, FactorVAELoss, Loss, Trainer, VAELoss
from disvae.cli.main import main
from disvae.losses import LossOutput
from disvae.training import precision as module
from disvae.training import train_ensemble
from disvae.training import trainer as trainer_module
from disvae.training.precision import (
    faster_precision,
    has_bfloat16,
    multiplying_in,
    warn_of_emulation,
)
from disvae.training.trial import seconds_per_step

SHAPE = (1, 16, 16)
CPU = torch.device("cpu")
LOW_IS_FASTER = {"32-true": 1.0, "bf16-mixed": 0.5}
LOW_IS_SLOWER = {"32-true": 1.0, "bf16-mixed": 1.2}


class Noise:
    def batch(self, step: int) -> torch.Tensor:
        return torch.rand(8, *SHAPE, generator=torch.Generator().manual_seed(step))


class Float32Only(VAELoss):
    """Fails under autocast."""

    def forward(self, model: Any, batch: Any, step: Any = None) -> LossOutput:
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("not implemented for 'BFloat16'")
        return super().forward(model, batch, step)


def make(criterion: Loss | None = None, **settings: Any) -> Trainer:
    torch.manual_seed(0)
    settings = {"accelerator": "cpu", "progress": False, "log_every": 2, **settings}
    return Trainer(BurgessVAE(SHAPE, latent_dim=3), criterion or VAELoss(), **settings)


def config(run: Path) -> dict[str, Any]:
    return yaml.safe_load((run / "config.yaml").read_text())


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


@pytest.fixture
def trials(monkeypatch) -> list[str]:
    """The precisions that are tried; each trial says that bfloat16 takes half of the time."""
    tried: list[str] = []

    def trial(trainer: Any, first_batch: Any, precision: Any, threads: Any) -> float:
        tried.append(precision)
        return LOW_IS_FASTER[precision]

    monkeypatch.setattr(trainer_module, "seconds_per_step", trial)
    return tried


@pytest.fixture
def native(monkeypatch) -> None:
    """A processor with instructions for bfloat16."""
    monkeypatch.setattr(module, "has_bfloat16", lambda device: True)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ONEDNN_MAX_CPU_ISA", "", True),
        ("ONEDNN_MAX_CPU_ISA", "default", True),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX", True),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", True),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI", False),
        ("ONEDNN_MAX_CPU_ISA", "AVX2", False),
        ("DNNL_MAX_CPU_ISA", "AVX2", False),
        ("ATEN_CPU_CAPABILITY", "avx512", True),
        ("ATEN_CPU_CAPABILITY", "avx2", False),
        ("ATEN_CPU_CAPABILITY", "default", False),
    ],
)
def test_limits_in_the_environment_are_respected(monkeypatch, name, value, expected) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_cpu_has_bfloat16", lambda: True)
    assert has_bfloat16(CPU) is expected
    monkeypatch.setattr(module, "_cpu_has_bfloat16", lambda: False)
    assert not has_bfloat16(CPU)


def test_instructions_are_those_that_the_system_lists(monkeypatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    listed = Path("/proc/cpuinfo")
    if not listed.exists():
        pytest.skip("only Linux lists the processor's instructions")
    flags = set(listed.read_text().split())
    expected = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    assert has_bfloat16(CPU) is expected


@pytest.mark.parametrize(
    ("low", "expected"),
    [(0.5, "bf16-mixed"), (0.98, "32-true"), (1.2, "32-true"), (float("inf"), "32-true")],
)
def test_bfloat16_is_chosen_where_it_is_clearly_faster(native, low, expected) -> None:
    seconds = {"32-true": 1.0, "bf16-mixed": low}
    assert faster_precision(CPU, seconds.__getitem__)[0] == expected


def test_auto_is_float32_without_a_trial_where_bfloat16_is_emulated(tmp_path, trials) -> None:
    auto, explicit = make(run_dir=tmp_path), make(precision="32-true")
    for trainer in (auto, explicit):
        trainer.fit(Noise(), 2)
    assert trials == []
    assert config(tmp_path)["precision"] == "32-true"
    assert torch.equal(weights(auto), weights(explicit))


def test_auto_trains_in_the_faster_precision_and_records_it(tmp_path, native, trials) -> None:
    auto, explicit = make(run_dir=tmp_path), make(precision="bf16-mixed")
    for trainer in (auto, explicit):
        trainer.fit(Noise(), 2)
    assert trials == ["32-true", "bf16-mixed"]
    assert config(tmp_path)["precision"] == auto.conditions.precision == "bf16-mixed"
    assert torch.equal(weights(auto), weights(explicit))
    assert not torch.equal(weights(auto), weights(fitted(make(precision="32-true"))))


def fitted(trainer: Trainer) -> Trainer:
    trainer.fit(Noise(), 2)
    return trainer


def test_auto_is_said_in_one_line(tmp_path, native, trials, capsys) -> None:
    fitted(make(progress=True))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("precision")]
    assert lines == ["precision: bf16-mixed (a step takes 0.50 times as long as in float32)"]


@pytest.mark.parametrize("recorded", ["32-true", "bf16-mixed", "bf16-true", "64-true"])
def test_auto_goes_on_in_the_recorded_precision(tmp_path, monkeypatch, trials, recorded) -> None:
    whole = make(precision=recorded)
    monkeypatch.setattr(module, "has_bfloat16", lambda device: True)
    whole.fit(Noise(), 4)
    make(run_dir=tmp_path, precision=recorded).fit(Noise(), 2)
    resumed = make(run_dir=tmp_path)
    resumed.fit(Noise(), 4)
    assert trials == []
    assert config(tmp_path)["precision"] == recorded
    assert torch.equal(weights(whole), weights(resumed))


def test_another_explicit_precision_is_refused(tmp_path, native, trials) -> None:
    fitted(make(run_dir=tmp_path))
    with pytest.raises(ValueError, match="precision was 'bf16-mixed' and is now '32-true'"):
        make(run_dir=tmp_path, precision="32-true").fit(Noise(), 4)


def test_a_run_without_a_step_decides_again(tmp_path, native, trials) -> None:
    (tmp_path / "config.yaml").write_text("precision: 64-true\nsteps: 1\n")
    fitted(make(run_dir=tmp_path))
    assert config(tmp_path)["precision"] == "bf16-mixed"


def test_a_trial_disturbs_nothing() -> None:
    trainer = make(FactorVAELoss(3, gamma=5.0), ema_decay=0.9)
    trainer.fit(Noise(), 1)

    def everything() -> list[torch.Tensor]:
        both = (*trainer.model.parameters(), *trainer.criterion.parameters())
        moments = trainer._state.optimizer.state_dict()["state"].values()
        averaged = trainer.averaged.parameters()
        gradients = [p.grad for p in both if p.grad is not None]
        state = [value for each in moments for value in each.values()]
        return [t.clone() for t in (*both, *gradients, *state, *averaged, torch.get_rng_state())]

    before = everything()
    for precision in ("32-true", "bf16-mixed"):
        seconds = seconds_per_step(trainer, lambda: Noise().batch(0), precision, 1)
        assert 0 < seconds < float("inf")
    after = everything()
    assert len(before) == len(after) > 20
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert trainer.step == 1


def test_a_loss_that_fails_in_bfloat16_is_trained_in_float32(tmp_path, native) -> None:
    trainer = fitted(make(Float32Only(), run_dir=tmp_path))
    assert trainer.conditions.precision == config(tmp_path)["precision"] == "32-true"
    batch = Noise().batch(0)
    assert seconds_per_step(trainer, lambda: batch, "bf16-mixed", 1) == float("inf")


def test_a_loss_that_always_fails_says_so_itself(native) -> None:
    class Fails(VAELoss):
        def forward(self, *_: Any) -> Any:
            raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        make(Fails()).fit(Noise(), 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_ensemble_decides_once(tmp_path, native, trials, workers) -> None:
    runs = [make(run_dir=tmp_path / str(i), seed=i, batch_size=8) for i in range(2)]
    train_ensemble(runs, Noise(), 2, workers=workers, progress=False)
    assert trials == ["32-true", "bf16-mixed"]
    assert {config(tmp_path / str(i))["precision"] for i in range(2)} == {"bf16-mixed"}


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_emulation_is_warned_of_with_the_factor(monkeypatch, precision) -> None:
    monkeypatch.setattr(module, "has_bfloat16", lambda device: False)
    seconds = {"32-true": 0.1, precision: 1.4}
    with pytest.warns(UserWarning, match=r"emulated .* takes 14\.0 times as long .* auto"):
        warn_of_emulation(precision, CPU, seconds.__getitem__)


@pytest.mark.filterwarnings("error")
def test_nothing_is_warned_of_where_nothing_is_emulated(monkeypatch) -> None:
    seconds = {"32-true": 0.1, "bf16-mixed": 1.4}
    monkeypatch.setattr(module, "has_bfloat16", lambda device: False)
    warn_of_emulation("32-true", CPU, {}.__getitem__)  # measures nothing
    monkeypatch.setattr(module, "has_bfloat16", lambda device: True)
    warn_of_emulation("bf16-mixed", CPU, seconds.__getitem__)


@pytest.mark.filterwarnings("always")
def test_the_command_warns_of_emulation(tmp_path, monkeypatch, capsys) -> None:
    trial = lambda trainer, batch, precision, threads: {"32-true": 1.0}.get(precision, 7.0)  # noqa: E731
    monkeypatch.setattr(trainer_module, "seconds_per_step", trial)
    monkeypatch.setattr(module, "has_bfloat16", lambda device: False)
    options = ["--n_images", "8", "--batch_size", "2", "--steps", "2", "--data.size", "32"]
    options += ["--accelerator", "cpu", "--precision", "bf16-mixed", "--run_dir", str(tmp_path)]
    assert main(["train", *options]) == 0
    assert "disvae: warning: bfloat16 is emulated" in capsys.readouterr().err
    notes = json.loads((tmp_path / "starts.jsonl").read_text())
    assert notes["threads"] == torch.get_num_threads()


def test_tf32_is_for_gpus_and_lasts_for_the_step() -> None:
    cudnn = torch.backends.cudnn

    def settings():
        return torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic

    before = settings()
    with multiplying_in("tf32"):
        assert settings() == ("high", True, True)
    with multiplying_in("32-true"):
        assert settings() == ("highest", False, True)
    assert settings() == before
    with pytest.raises(ValueError, match="precision 'tf32' is of NVIDIA's GPUs"):
        make(precision="tf32")


def test_fabric_gives_no_advice_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        make(precision="bf16-mixed")
    assert not caplog.records
