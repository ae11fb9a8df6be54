"""The examples run, at a tiny size, and leave what they say they leave."""

import importlib.util
import json
import math
import re
from pathlib import Path
from types import ModuleType

import matplotlib.image
import pytest
import torch
from torch.distributions import Normal

EXAMPLES = Path(__file__).parents[1] / "examples"

LOSSES = {"VAELoss", "BetaVAEHLoss", "BetaVAEBLoss", "FactorVAELoss", "BetaTCVAELoss"}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def assert_is_a_picture(path: Path) -> None:
    picture = matplotlib.image.imread(path)
    assert min(picture.shape[:2]) > 100
    assert picture.std() > 0.05, "nothing is drawn"


def test_plain_loop(capsys: pytest.CaptureFixture[str]) -> None:
    load("plain_loop").main(["--steps", "12", "--batch-size", "8", "--print-every", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"step {step}" for step in range(12)]
    costs = [float(re.findall(r"reconstruction ([\d.]+)", line)[0]) for line in lines]
    assert 0 < costs[-1] < costs[0]
    assert all("discriminator 0." in line for line in lines)


def test_own_loss(capsys: pytest.CaptureFixture[str]) -> None:
    module = load("own_loss")
    module.main(["--steps", "3", "--batch-size", "8", "--free-nats", "0.25"])
    values = {
        line.split()[0]: float(line.split()[1]) for line in capsys.readouterr().out.splitlines()
    }
    # At the start no dimension carries 0.25 nats: all ten cost that much.
    assert values["objective"] == pytest.approx(values["reconstruction"] + 2.5, abs=0.02)
    assert values["dimensions_in_use"] == 0


def test_compare_losses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = "--steps 2 --batch-size 8 --points 200 --output out"
    load("compare_losses").main(arguments.split())
    rows = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert rows.keys() == LOSSES
    printed = capsys.readouterr().out
    for name, row in rows.items():
        assert name in printed
        assert 0 < row["reconstruction"] < 4096
        assert 0 <= row["factor_vae_score"] <= 1
        assert 0 <= row["mig"] <= 1
    assert_is_a_picture(tmp_path / "out" / "compare.png")


def test_mnist(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "mnist"
    arguments = "--split test --steps 2 --batch-size 8 --output out"
    load("mnist").main(["--root", str(root), *arguments.split()])
    for picture in ("reconstructions.png", "traversal.png"):
        assert_is_a_picture(tmp_path / "out" / picture)
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_total_correlation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = "--gammas 0 5 --steps 3 --every 2 --images 40 --codes 30 --batch-size 8"
    load("total_correlation").main([*sizes.split(), "--output", "out"])
    records = json.loads((tmp_path / "out" / "total_correlation.json").read_text())
    printed = capsys.readouterr().out
    assert all(f"{record['true']:8.3f}" in printed for record in records)
    assert [(r["gamma"], r["step"]) for r in records] == [(0, 2), (0, 3), (5, 2), (5, 3)]
    for record in records:
        assert record["true"] > -4 * record["standard_error"]
        assert abs(record["estimate"]) < 1  # a discriminator this young knows next to nothing
    assert_is_a_picture(tmp_path / "out" / "total_correlation.png")


def test_backbone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load("backbone").main(["--steps", "2", "--batch-size", "4", "--output", "out"])
    assert "reconstruction" in capsys.readouterr().out
    assert_is_a_picture(tmp_path / "out" / "reconstructions.png")
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_metrics_on_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--points", "1000", "--repeats", "0", "--output", str(tmp_path)]
    load("metrics_on_arrays").main(arguments)
    printed = capsys.readouterr().out
    factor_vae = [float(value) for value in re.findall(r"FactorVAE score +([\d.]+)", printed)]
    gaps = [float(value) for value in re.findall(r"^MIG +([\d.]+)", printed, re.MULTILINE)]
    for perfect, rotated, random in (factor_vae, gaps):
        assert perfect == pytest.approx(1, abs=0.12)  # noise, and chance dependence of 1,000 points
        assert perfect > rotated > random
    assert factor_vae[-1] < 0.35  # chance is one in four
    for name in ("summary", "information", "importance", "latents"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000


def test_pretrained(capsys: pytest.CaptureFixture[str]) -> None:
    load("pretrained").main(["--points", "2000"])
    printed = capsys.readouterr().out
    assert float(re.findall(r"FactorVAE score = ([\d.]+)", printed)[0]) > 0.6
    for factor in ("position_x", "position_y", "scale"):
        assert int(re.findall(rf"{factor}: z\d knows (\d+)% of it", printed)[0]) > 30


def test_plots_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load("plots_codes").main(["--steps", "2", "--seeds", "1", "--output", "out"])
    names = ["histograms", "curves", "factor-maps", "swaps", "embedding", "tradeoff", "weights"]
    for name in names:
        assert_is_a_picture(tmp_path / "out" / f"{name}.png")
    assert capsys.readouterr().out.count("FactorVAE score = ") == 8


def test_total_correlation_of_gaussians() -> None:
    # Posteriors that overlap, so that q(z) is near a Gaussian with correlation 0.8 / 1.25.
    module = load("total_correlation")
    loc = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(0))
    loc[:, 1] = 0.8 * loc[:, 0] + 0.6 * loc[:, 1]
    posterior = Normal(loc, torch.full_like(loc, 0.5))
    true, error = module.measure(posterior, 2_000)
    assert true == pytest.approx(-0.5 * math.log(1 - 0.64**2), abs=4 * error)
    assert error < 0.02
    permuted = module.permute(posterior)
    assert module.measure(permuted, 2_000)[0] == pytest.approx(0, abs=0.02)
    assert permuted.loc.sort(0).values.equal(loc.sort(0).values)
