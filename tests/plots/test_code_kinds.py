"""``disvae plot RUN KIND`` of codes, curves and sweeps: that it draws this run's numbers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from disvae import BetaVAEHLoss, Trainer
from disvae.cli.main import main
from disvae.data import ImageDataset, Slice, Sprites, random_subset
from disvae.metrics import mig
from disvae.models import MLPVAE
from disvae.plots import mean_codes, mean_kl, swap, vary
from disvae.plots.code_kinds import (
    embedding,
    factor_maps,
    histograms,
    latents,
    swaps,
    variations,
)
from disvae.plots.errors import NotApplicableError
from disvae.plots.sweep_kinds import curves, history, tradeoff, weights
from disvae.training import encode_dataset, encode_posteriors, load_run, read_log

N = 60


def make_run(folder: Path, beta: float, seed: int, data: ImageDataset | None = None) -> Path:
    torch.manual_seed(seed)
    trainer = Trainer(
        MLPVAE((1, 64, 64), latent_dim=3, hidden=(8,)),
        BetaVAEHLoss(beta),
        run_dir=folder,
        seed=seed,
        batch_size=8,
        log_every=1,
        progress=False,
        accelerator="cpu",
        keep_every=1,
    )
    trainer.fit(data or random_subset(Sprites(), N, seed=0), steps=3)
    scores = {"FactorVAE score": {"value": beta / 10}, "MIG": {"value": 0.1 * seed}}
    (folder / "evaluation.json").write_text(json.dumps({"trained": scores}))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("runs")
    settings = {"a": (1.0, 0), "b": (1.0, 1), "c": (4.0, 0), "d": (4.0, 1)}
    return {name: make_run(root / name, *setting) for name, setting in settings.items()}


@pytest.fixture(scope="module")
def run(folders):
    return load_run(folders["a"])


def kl_of(run) -> torch.Tensor:
    return mean_kl(run.model(), run.data().floats(torch.arange(N)))


def test_histograms_are_those_of_the_run_s_posteriors(run, folders):
    figure = histograms(run)
    kl = kl_of(run)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"$z_{{{j}}}$: {kl[j]:.2f}" for j in kl.argsort(descending=True).tolist()]
    assert len(histograms(run, dimensions=[2], others=[str(folders["c"])]).axes) == 2


def test_curves_are_those_of_the_log_and_seeds_are_one_line(run, folders):
    line = curves(run, terms=["kl"]).axes[0].lines[0]
    assert line.get_ydata().tolist() == [row["kl"] for row in read_log(run.path)]
    figure = curves(run, terms=["kl"], others=[str(folders[name]) for name in "bcd"])
    logs = {name: np.array([row["kl"] for row in read_log(folders[name])]) for name in folders}
    first, second = figure.axes[0].lines
    np.testing.assert_allclose(first.get_ydata(), (logs["a"] + logs["b"]) / 2)
    np.testing.assert_allclose(second.get_ydata(), (logs["c"] + logs["d"]) / 2)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["a (of 2 seeds)", "c (of 2 seeds)"]


def test_a_run_without_a_log_has_no_curves(run, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(run.path, bare)
    (bare / "log.jsonl").unlink()
    with pytest.raises(NotApplicableError, match=r"bare has no log\.jsonl"):
        curves(load_run(bare))


def test_history_has_the_scores_of_the_weights_that_were_kept(run, folders):
    figure = history(run, scores=["MIG"], others=[str(folders["b"])])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["reconstruction", "MIG"]
    steps, shown = figure.axes[1].lines[0].get_data()
    assert steps.tolist() == run.kept_steps()
    other = load_run(folders["b"])
    for step, value in zip(steps.tolist(), shown, strict=True):
        models = [each.kept_model(step) for each in (run, other)]
        codes = [encode_dataset(model, run.data(), torch.arange(N)) for model in models]
        expected = [float(mig(z, run.data().factors(torch.arange(N)))) for z in codes]
        assert value == pytest.approx(sum(expected) / 2)
    costs = [[row["reconstruction"] for row in read_log(each.path)] for each in (run, other)]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), np.mean(costs, 0))


def test_a_history_needs_weights_over_time(run, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(run.path, bare)
    shutil.rmtree(bare / "weights")
    with pytest.raises(NotApplicableError, match="bare keeps no weights over time"):
        history(load_run(bare))


def test_maps_are_means_of_the_run_s_codes(run):
    data = run.data()
    figure = factor_maps(run, over=["shape", "scale"])
    codes = encode_posteriors(run.model(), data, progress=False).loc
    means, _ = mean_codes(codes, data.factors(torch.arange(N)), by=[0, 1])
    top = int(kl_of(run).argmax())
    shown = np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)
    np.testing.assert_allclose(shown, means[..., top].T, rtol=1e-5)
    with pytest.raises(ValueError, match="--over needs two factors, got shape"):
        factor_maps(run, over=["shape"])


def test_latents_have_the_most_informative_first(run):
    figure = latents(run)
    rows = [axes.get_ylabel() for axes in figure.axes[:: len(run.data().space.names)]]
    assert rows == [f"$z_{{{j}}}$" for j in kl_of(run).argsort(descending=True).tolist()]


def test_swaps_are_of_the_chosen_images(run):
    figure = swaps(run, dimensions=[0], rows=1, columns=2, images=[5, 7, 9])
    x = run.data().floats(torch.tensor([5, 7, 9]))
    picture = torch.as_tensor(figure.axes[0].images[0].get_array().data)
    torch.testing.assert_close(picture[-65:-1, 1:65, 0], x[0, 0])
    expected = swap(run.model(), x[:1], x[1:], [0])[0, 1, 0]
    torch.testing.assert_close(picture[-65:-1, -65:-1, 0], expected)
    with pytest.raises(NotApplicableError, match="--dimensions 0 1 2"):
        swaps(run)
    for size in ({"rows": 0}, {"columns": 0}):
        with pytest.raises(ValueError, match="at least 1 row and 1 column"):
            swaps(run, dimensions=[0], **size)


def test_variations_are_of_the_chosen_images(run):
    figure = variations(run, dimensions=[0], rows=2, columns=3, images=[5, 7], seed=4)
    x = run.data().floats(torch.tensor([5, 7]))
    picture = torch.as_tensor(figure.axes[0].images[0].get_array().data)
    torch.testing.assert_close(picture[1:65, 1:65, 0], x[0, 0])
    expected = vary(run.model(), x, [0], n=3, seed=4)[1, 2, 0]
    torch.testing.assert_close(picture[-65:-1, -65:-1, 0], expected)
    with pytest.raises(NotApplicableError, match="--dimensions 0 1 2"):
        variations(run)


def test_embeddings_are_coloured_by_the_factor_and_split_by_the_part(run):
    figure = embedding(run, by="scale", dimensions=[1], neighbours=10)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "dimensions 1",
        "dimensions 0, 2",
    ]
    legend = figure.legends[0]
    assert legend.get_title().get_text() == "scale"
    scales = run.data().factors(torch.arange(N))[:, 1]
    counts = [len(shown.get_offsets()) for shown in figure.axes[0].collections]
    assert counts == scales.unique(return_counts=True)[1].tolist()
    with pytest.raises(ValueError, match="no factor 'colour'"):
        embedding(run, by="colour")
    with pytest.raises(NotApplicableError, match="20 images have no 30 neighbours"):
        embedding(run, points=20)


def test_a_factor_of_one_value_is_left_out(tmp_path):
    folder = make_run(tmp_path / "hearts", 1.0, 0, Slice(Sprites(), {"shape": 2, "scale": 5}))
    figure = factor_maps(load_run(folder), points=200)
    titles = [axes.get_title(loc="left") for axes in figure.axes[:2]]
    assert titles == ["position x →\nposition y ↓", "orientation"]


def test_a_sweep_is_drawn_from_all_its_runs(run, folders):
    others = [str(folder) for folder in folders.values()]  # itself too, as by --others runs/*
    costs = {n: read_log(folder)[-1]["reconstruction"] for n, folder in folders.items()}
    axes = tradeoff(run, others=others).axes[0]
    x, y = axes.containers[0].lines[0].get_data()
    np.testing.assert_allclose(x, [(costs["a"] + costs["b"]) / 2, (costs["c"] + costs["d"]) / 2])
    np.testing.assert_allclose(y, [0.1, 0.4])
    top, _ = weights(run, others=others, scores=["MIG"]).axes
    np.testing.assert_allclose(top.lines[0].get_ydata(), x)
    for kind in (tradeoff, weights):
        with pytest.raises(NotApplicableError, match="name the others by --others"):
            kind(run)


def test_the_command_writes_each_kind(folders, tmp_path, capsys):
    a, *others = map(str, folders.values())
    words = ["plot", a, "histograms", "curves", "factor-maps", "swaps", "tradeoff"]
    options = ["--dimensions", "0", "1", "--others", *others, "--output", str(tmp_path)]
    assert main([*words, *options]) == 0, capsys.readouterr().err
    written = sorted(file.name for file in tmp_path.iterdir())
    assert written == sorted(f"{kind}.png" for kind in words[2:])


def test_the_command_says_what_is_wrong(folders, capsys):
    run = str(folders["a"])
    assert main(["plot", run, "tradeoff"]) == 2
    assert "name the others by --others" in capsys.readouterr().err
    assert main(["plot", run, "curves", "--terms", "kl,klein"]) == 2
    assert "no log has klein" in capsys.readouterr().err
    assert main(["plot", run, "histogram"]) == 2
    assert "histograms" in capsys.readouterr().err
