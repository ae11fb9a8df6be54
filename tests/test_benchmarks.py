"""The benchmarks of training run, at a tiny size, and leave their figures."""

import importlib.util
import json
import math
import struct
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

from disvae import BurgessVAE
from disvae.data import MNIST
from disvae.losses import Loss
from disvae.recipes import load_recipe

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_mnist() -> bool:
    try:
        MNIST(split="test")
    except (OSError, ValueError):
        return False
    return True


def test_ensemble(tmp_path: Path) -> None:
    sizes = {"runs": 2, "steps": 2, "rounds": 1, "batch_size": 2, "hidden_dim": 4, "n_images": 8}
    options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    report = load("ensemble").main(
        [*options, "--accelerator", "cpu", "--output", str(tmp_path)],
    )
    assert json.loads((tmp_path / "ensemble.json").read_text()) == report
    ratio = report["in_a_row"]["seconds"] / report["at_once"]["seconds"]
    assert report["at_once_is_faster_by"] == pytest.approx(ratio)
    assert report["at_once"]["steps_per_second"] * report["at_once"]["seconds"] == pytest.approx(4)


@pytest.fixture
def _gpu_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.usefixtures("_gpu_stages")
def test_gpu(tmp_path: Path) -> None:
    module = load("gpu")
    module.TINY = module.TINY._replace(n_images=64, batches=(2,), hidden=4, points=40)
    options = ["--device", "cpu", "--seconds", "2", "--output", str(tmp_path)]
    report = module.main([*options, "--stages", "steps", "runs", "train"])
    assert json.loads((tmp_path / "gpu.json").read_text()) == report
    rows = report["steps"]["rows"] + report["runs"]["rows"]
    assert all(row["rate"] > 0 for row in rows)
    assert {row["way"] for row in rows} >= {"as it is", "plain PyTorch", "streams", "stacked"}
    assert [row["loss"] for row in report["train"]["rows"]] == ["FactorVAE", "beta-VAE"]
    for row in report["train"]["rows"]:
        assert row["reconstruction"] == row["log"][-1]["reconstruction"]
        assert 0 <= row["default"]["FactorVAE score"] <= 1


@pytest.mark.usefixtures("_gpu_stages")
def test_the_page_on_gpus_has_the_tables_of_the_report(capsys) -> None:
    load("gpu").main(["--table", str(BENCHMARKS / "results" / "gpu.json")])
    page = (BENCHMARKS.parent / "docs" / "gpu.md").read_text()
    for table in capsys.readouterr().out.strip().split("\n\n"):
        assert table in page


@pytest.mark.usefixtures("_gpu_stages")
def test_gpu_tells_tests_that_failed_from_those_skipped() -> None:
    text = """<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase>
    <testcase name="c"><failure message="no"/></testcase></testsuite>"""
    module = importlib.import_module("gpu_stages.checks")
    found = module.summary_of_tests(ElementTree.fromstring(text))
    assert found == {"passed": 1, "skipped": 1, "failed": {"c": "no"}}


@pytest.mark.usefixtures("_gpu_stages")
def test_share_of_time_that_is_covered() -> None:
    covered = importlib.import_module("gpu_stages.steps").covered
    assert covered([(0.0, 4.0), (1.0, 2.0), (3.0, 5.0), (8.0, 10.0)]) == pytest.approx(0.7)


@pytest.mark.usefixtures("_gpu_stages")
@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize("name", ["VAE", "beta-TCVAE", "FactorVAE"])
def test_stacked_runs_are_the_runs(
    name: str, products: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = importlib.import_module("gpu_stages.bench")
    stacked = importlib.import_module("gpu_stages.stacked")

    def make(seed: int):
        torch.manual_seed(seed)
        model = BurgessVAE((1, 16, 16), latent_dim=10).double()
        return model, bench.LOSSES[name](bench.TINY).double()

    # Draws that are the same for all runs: mapping gives each its own otherwise.
    noise = torch.randn(4, 10, dtype=torch.float64)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: noise)
    monkeypatch.setattr(torch.distributions.normal, "_standard_normal", lambda *_, **__: noise)
    monkeypatch.setattr("disvae.divergence.adversarial.permute_dims", lambda z, sizes: z.flip(0))
    x = torch.rand(2, 4, 1, 16, 16, dtype=torch.float64)
    step = stacked.StackedStep([make(0), make(1)], 1e-3, torch.device("cpu"), products)
    losses = torch.stack([step(x) for _ in range(3)])
    for k in range(2):
        model, criterion = make(k)
        players = nn.ModuleList([model, criterion])
        optimizer = torch.optim.Adam(players.parameters(), 1e-3)
        for found in losses[:, k]:
            optimizer.zero_grad()
            loss = criterion(model, x[k], 0).loss
            loss.backward()
            optimizer.step()
            assert found == pytest.approx(loss.item(), rel=1e-9)


def test_precision(tmp_path: Path) -> None:
    module = load("precision")
    module.WINDOW = 5  # steps that are averaged; where bfloat16 is emulated, each takes long
    sizes = ["--seeds", "2", "--steps", "10", "--batch_size", "2", "--n_images", "8"]
    report = module.main(["--losses", "vae", *sizes, "--output", str(tmp_path)])
    (row,) = report["rows"]
    curves = [[seed[1] for seed in curve] for curve in row["curves"].values()]  # second halves
    (a, b), low = curves
    assert row["seeds"] == pytest.approx(abs(a - b))
    assert row["difference"] == pytest.approx((abs(low[0] - a) + abs(low[1] - b)) / 2)
    exact, low = row["ends"].values()
    assert exact[0] == pytest.approx(low[0], rel=0.2)
    assert exact != low


def test_speed_of_auto(tmp_path: Path) -> None:
    sizes = ["--batch_size", "2", "--n_images", "8", "--rounds", "2", "--turn", "1"]
    options = ["--speed", "--losses", "vae", *sizes, "--output", str(tmp_path)]
    report = load("precision").main(options)
    (row,) = report["rows"]
    assert json.loads((tmp_path / "precision-speed.json").read_text()) == report
    assert row["chosen"] == "32-true"  # tests have no processor with bfloat16
    fastest = min(row["ms"]["32-true"], row["ms"]["bf16-mixed"])
    assert row["lost"] == pytest.approx(row["ms"]["auto"] / fastest - 1)


def test_training_step(tmp_path: Path) -> None:
    sizes = ["--batch_sizes", "2", "--rounds", "1", "--steps", "1", "--image_size", "32"]
    report = load("training_step").main(["--losses", "vae", *sizes, "--output", str(tmp_path)])
    (row,) = report["rows"]
    assert row["ours_images_per_second"] > 0
    assert 0 < row["share_of_peak"] < 1


def test_data_size(tmp_path: Path) -> None:
    sizes = ["--sizes", "8", "20", "--batch_size", "2", "--rounds", "2", "--steps", "1"]
    report = load("data_size").main([*sizes, "--output", str(tmp_path)])
    assert json.loads((tmp_path / "data_size.json").read_text()) == report
    assert [row["images"] for row in report["rows"]] == 3 * [8, 20]
    for row in report["rows"]:
        low, high = row["ratio_quartiles"]
        assert 0 < low <= row["ratio"] <= high
        assert (row["ratio"] == 1) == (row["images"] == 8)
        assert 0 < row["order_seconds"] < row["seconds"]


def test_infogan(tmp_path: Path) -> None:
    sizes = {"steps": 10, "batch_size": 2, "n": 10, "points": 200}
    options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    report = load("infogan").main([*options, "--output", str(tmp_path)])
    assert [row["step"] for row in report["rows"]] == list(range(1, 11))
    assert all(math.isfinite(value) for row in report["rows"] for value in row.values())
    assert 0 <= report["trained"]["FactorVAE score"] <= 1
    written = json.loads((tmp_path / "infogan-sprites-wgan.json").read_text())
    assert written["rows"] == report["rows"]


def test_energy_distance() -> None:
    distance, x = load("infogan").energy_distance, torch.randn(2000, 3)
    assert abs(distance(torch.randn(2000, 3), x)) < 0.01
    assert distance(x[:1].expand(2000, -1), x) > 0.3  # all of them the same
    assert distance(x + 3, x) > 0.5


@pytest.mark.slow
def test_infowgan_gp_trains_without_diverging(tmp_path: Path) -> None:
    options = ["--batch_size", "32", "--precision", "bf16-mixed", "--output", str(tmp_path)]
    report = load("infogan").main(["--steps", "2000", *options])
    rows = report["rows"]
    assert all(math.isfinite(value) for row in rows for value in row.values())
    distance = [row["game"] for row in rows]
    assert distance[-1] < 0.5 * max(distance)  # it settles,
    assert 0 < distance[-1] <= 1.1 * distance[-2]
    assert all(row["penalty"] < 0.1 for row in rows[3:])  # and so does the critic's slope
    assert all(0.5 < row["diversity"] < 1.2 for row in rows[3:])  # no two modes, and no noise
    assert rows[-1]["energy"] < 0.05 < rows[0]["energy"]
    assert rows[-1]["information"] > 3
    assert report["trained"]["FactorVAE score"] > report["untrained"]["FactorVAE score"]


def test_discrete(tmp_path: Path) -> None:
    sizes = ["--seeds", "0", "1", "--steps", "5", "--batch_size", "4", "--slice", "near"]
    rows = load("discrete").main([*sizes, "--output", str(tmp_path)])
    assert json.loads((tmp_path / "discrete.json").read_text()) == rows
    assert [row["seed"] for row in rows] == [0, 1]
    for row in rows:
        assert 1 / 3 <= row["accuracy"] <= 1
        assert sum(map(sum, row["confusion"])) == 36
        assert (tmp_path / f"discrete-{row['seed']}.png").stat().st_size > 1000


def test_shapes_are_all_or_nearly_all_that_varies() -> None:
    module = load("discrete")
    near = module.some_sprites("near").factors(range(36))
    values = [sorted(set(column.tolist())) for column in near.T]
    assert values == [[0, 1, 2], [5], [0, 1, 2], [16, 17], [16, 17]]
    assert len(near.unique(dim=0)) == 36
    alone = module.some_sprites("shape").factors(range(3))
    assert alone.tolist() == [[shape, 5, 0, 16, 16] for shape in range(3)]


def test_cycle_consistent(tmp_path: Path) -> None:
    write_mnist(tmp_path, n=200)
    sizes = {"seeds": 2, "steps": 2, "batch_size": 4, "hidden": 8, "epochs": 1}
    options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    options += ["--root", str(tmp_path), "--output", str(tmp_path / "runs")]
    report = load("cycle_consistent").main(options)
    assert json.loads((tmp_path / "runs" / "cycle_consistent.json").read_text()) == report
    for name in ("z", "z, mean", "s"):
        shares = [row[name] for row in report["seeds"]]
        assert all(0 <= share <= 1 for pair in shares for share in pair)
        assert report["mean"][name][1] == pytest.approx((shares[0][1] + shares[1][1]) / 2)
    for name in ("swaps", "variations", "embedding"):
        assert (tmp_path / "runs" / f"{name}.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_category_finds_the_shape(tmp_path: Path) -> None:
    rows = load("discrete").main(["--output", str(tmp_path)])
    assert sum(row["accuracy"] > 0.9 for row in rows) >= 2
    assert len(rows) == 3


@pytest.mark.slow
def test_ada_gvae_on_pairs_beats_the_beta_vae(tmp_path: Path) -> None:
    report = load("weak_supervision").main(["--beta_vae", "4", "--output", str(tmp_path)])
    ada, beta = report["rows"]
    for name in ("FactorVAE score", "DCI disentanglement"):
        ours, theirs = ([run["scores"][name] for run in row["runs"]] for row in (ada, beta))
        assert min(ours) > max(theirs)


@pytest.mark.slow
@pytest.mark.skipif(not has_mnist(), reason="needs MNIST's test images in DISVAE_DATA")
def test_the_parts_of_a_cycle_consistent_code(tmp_path: Path) -> None:
    report = load("cycle_consistent").main(["--output", str(tmp_path)])
    assert report["mean"]["s"][1] > 0.95 * report["pixels"][1]
    assert report["mean"]["z"][1] < report["chance"] + 0.15


def write_mnist(folder: Path, n: int) -> None:
    """Test images of MNIST's form, of noise."""
    generator = np.random.default_rng(0)
    images = generator.integers(256, size=(n, 28, 28), dtype=np.uint8)
    labels = (np.arange(n) % 10).astype(np.uint8)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (folder / f"t10k-{name}-ubyte").write_bytes(header + array.tobytes())


def test_weak_supervision(tmp_path: Path) -> None:
    sizes = {"steps": 1, "seeds": 2, "batch_size": 4, "n_images": 500, "beta_vae": 2}
    options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    options += ["--precision", "32-true"]  # bfloat16 is emulated on many processors
    report = load("weak_supervision").main([*options, "--output", str(tmp_path)])
    assert json.loads((tmp_path / "weak_supervision.json").read_text()) == report
    assert (tmp_path / "weak_supervision.png").stat().st_size > 1000
    ada, beta = report["rows"]
    assert (ada["method"], beta["method"]) == ("Ada-GVAE, β = 1", "β-VAE, β = 2")
    for row in report["rows"]:
        first, second = (run["scores"] for run in row["runs"])
        assert all(0 <= score <= 1 for score in first.values())
        assert first != second
    assert 0 < ada["runs"][0]["log"]["shared_dimensions"] < 10


FAKE_PEER = {
    "disvae/__init__.py": "",
    "disvae/models/__init__.py": "",
    "disvae/training.py": """
class Trainer:
    def __init__(self, model, optimizer, loss_f, save_dir):
        self.model, self.loss_f = model, loss_f

    def _train_iteration(self, data, storer):
        assert self.model.training
        assert data.shape[1:] == (1, 32, 32)
        assert 0 <= data.min() and 0.5 < data.max() <= 1
        assert len(data) == (128 if self.loss_f == "factor" else 64)
""",
    "disvae/models/losses.py": """
def get_loss_f(name, rec_dist, factor_G, n_data, **settings):
    assert (rec_dist, factor_G, n_data) == ("bernoulli", 6.4, 200)
    return name
""",
    "disvae/models/vae.py": """
import torch

class Model(torch.nn.Linear):
    def encoder(self, x):
        assert not self.training
        return x.sum((1, 2))[:, 11:21], None

    def decoder(self, z):
        return torch.full((len(z), 1, 32, 32), 0.5)

def init_specific_model(name, image_shape, latent_dim):
    return Model(latent_dim, latent_dim)
""",
}


def test_time_to_disentangle(tmp_path: Path) -> None:
    module, output = load("time_to_disentangle"), tmp_path / "runs"
    for name, text in FAKE_PEER.items():
        (tmp_path / "peer" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "peer" / name).write_text(text)
    sizes = ["--images", "200", "--held", "300", "--steps", "2", "--turn", "0.001"]
    command = ["--losses", "vae", "factor_vae", "--seeds", "0", *sizes]
    command += ["--first", "0", "--growth", "100"]
    command += ["--peer", str(tmp_path / "peer"), "--peer_factor", "1.5", "--output", str(output)]
    report = module.main(command)
    assert json.loads((output / "time_to_disentangle.json").read_text()) == report
    ends = {(run["loss"], run["side"]): run["points"][-1] for run in report["runs"]}
    assert len(ends) == 4
    for loss in ("vae", "factor_vae"):
        ours, peer = ends[loss, "ours"], ends[loss, "peer"]
        assert (ours["steps"], ours["images"]) == (2, 128)
        assert peer["images"] == (128 if loss == "factor_vae" else 64) * peer["steps"]
        assert peer["seconds"] >= 1.5 * ours["seconds"]
        assert 0 < ours["reconstruction"] < 1024  # of pixels that are nearly all black
        assert peer["reconstruction"] == pytest.approx(1024 * math.log(2))
    file = tmp_path / "images.npz"
    factors = module.write_images(file, module.parse(command))
    with np.load(file) as images:
        means = images["held"].sum((1, 2))[:, 11:21] / 4  # the fake model's, of bytes from 0 to 4
    assert ends["vae", "peer"]["FactorVAE score"] == float(module.factor_vae_score(means, factors))
    assert ends["vae", "peer"]["MIG"] == pytest.approx(float(module.mig(means, factors, bins=20)))
    (output / "time_to_disentangle.png").unlink()
    assert (
        module.main(["--draw", str(output / "time_to_disentangle.json"), *command[-2:]]) == report
    )
    for name in ("time_to_disentangle", "time_to_disentangle_images"):
        assert (output / f"{name}.png").stat().st_size > 1000


def a_run(side: str, seed: int, *points: tuple[float, float]) -> dict[str, object]:
    """A run with a FactorVAE score at some seconds, at 100 images a second."""
    names = ("seconds", "images", "FactorVAE score", "MIG", "reconstruction")
    rows = [dict(zip(names, (s, 100 * s, x, 0.5, 20.0), strict=True)) for s, x in points]
    return {"loss": "vae", "side": side, "seed": seed, "points": rows}


def test_time_to_disentangle_is_the_first_moment_of_the_score() -> None:
    module = load("time_to_disentangle")
    ours = [
        a_run("ours", 0, (5, 0.5), (10, 0.8), (20, 0.7)),
        a_run("ours", 1, (5, 0.6), (10, 0.7), (20, 0.9)),
        a_run("ours", 2, (5, 0.4), (10, 0.5), (20, 0.6)),
    ]
    peer = [a_run("peer", 0, (10, 0.3), (50, 0.75)), a_run("peer_ours", 0, (10, 0.3), (100, 0.7))]
    assert [module.first_time(run, "seconds", 0.75) for run in ours] == [10, 20, math.inf]
    assert [module.first_time(run, "images", 0.75) for run in ours] == [1000, 2000, math.inf]
    rows = [line.split(" | ") for line in module.table([*ours, *peer], 0.75).splitlines()]
    assert rows[2][2:7] == ["0.70 (0.60 to 0.90)", "0.50 (0.50 to 0.50)", "20.0 (20.0 to 20.0)",
                            "2 of 3", "20 (10 to -)"]  # fmt: skip
    assert [row[-1] for row in rows[3:]] == ["2.5 |", "> 5.0 |"]  # 50 s and over 100 s, to 20 s
    assert module.ratio([ours[2], *peer], "vae", "peer", 0.75) == "-"


def test_time_to_disentangle_band_is_over_the_time_that_runs_share() -> None:
    runs = [a_run("ours", 0, (0, 0.0), (10, 1.0)), a_run("ours", 1, (5, 0.0), (20, 0.3))]
    band = load("time_to_disentangle").band(runs, "seconds", "FactorVAE score")
    expected = [[5, 10], [0.0, 0.1], [0.25, 0.55], [0.5, 1.0]]  # moments, minima, medians, maxima
    assert band == pytest.approx(np.array(expected))


def test_time_to_disentangle_has_the_settings_of_the_recipes() -> None:
    worker = load("time_to_disentangle_worker")
    for name in ("vae", "factor_vae", "beta_tcvae"):
        config, settings = load_recipe(f"sprites_{name}").config, worker.OURS[name]
        assert (config["lr"], config["batch_size"]) == (settings.lr, settings.batch_size)
        steps = config["steps"]
        decay = [[round((1 - settings.decay) * steps), 1.0], [steps, settings.final_lr]]
        assert config["lr_factor"]["init_args"]["points"] == decay
    opponent = load_recipe("sprites_factor_vae").config["loss"]["init_args"]
    settings = worker.OURS["factor_vae"]
    assert (opponent["gamma"], opponent["discriminator_lr"]) == (settings.weight, 1e-3)
    sizes = opponent["discriminator"]["init_args"]
    assert (sizes["hidden_dim"], sizes["n_hidden"]) == settings.discriminator
    recipe = config["loss"]["init_args"]
    criterion = worker.our_loss("beta_tcvae", n_images=1000)
    for name in ("alpha", "beta", "gamma"):
        points = recipe[name]["init_args"]["points"]
        assert [list(point) for point in getattr(criterion, name).points] == points
    for name in worker.OURS:
        assert isinstance(worker.our_loss(name, n_images=1000), Loss)
