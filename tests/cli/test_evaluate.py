import json

import pytest
import torch
from torch.distributions import Normal

from disvae.cli.main import main
from disvae.data import ImageDataset
from disvae.metrics import evaluate
from disvae.training import (
    decompose_dataset,
    elbo,
    encode_dataset,
    encode_posteriors,
    importance_weighted_bound,
    load_run,
)

FEW = ["--metrics", "FactorVAE score,MIG"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    small = ["--n_images", "300", "--steps", "3", "--model.latent_dim", "3", "--loss", "VAELoss"]
    arguments = [*small, "--progress", "false", "--accelerator", "cpu", "--run_dir", str(run)]
    assert main(["train", *arguments]) == 0
    return run


def test_scores_are_those_of_the_metrics_on_all_points(run, capsys):
    assert main(["evaluate", str(run), "--untrained", "--seed", "3", *FEW]) == 0
    report = json.loads((run / "evaluation.json").read_text())
    assert (report["points"], report["seed"]) == (300, 3)

    finished = load_run(run)
    indices = torch.arange(300)
    factors = finished.data().factors(indices)
    table = capsys.readouterr().out
    for name, model in (
        ("trained", finished.model()),
        ("untrained", finished.untrained_model()),
    ):
        codes = encode_dataset(model, finished.data(), indices)
        names = finished.data().space.names
        scores = evaluate(codes, factors, seed=3, names=names, metrics=["FactorVAE score", "MIG"])
        assert report[name] == json.loads(json.dumps(scores.to_json()))
        assert name in table
        assert all(f"{score:.3f}" in table for score in scores.values())


def test_json_is_the_report_and_nothing_else(run, capsys):
    more = ["--decompose", "50", "--particles", "1", "--untrained"]
    assert main(["evaluate", str(run), "--points", "100", "--json", *more, *FEW]) == 0
    printed = capsys.readouterr().out
    report = json.loads(printed)
    assert report == json.loads((run / "evaluation.json").read_text())
    assert {"trained", "untrained", "decomposition", "evidence"} <= report.keys()


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (1e3, None),
        (1e-3, "note: trained: the codes are nearly constant (largest"),
        (0, "note: trained: the codes are constant: the scores are chance"),
    ],
)
def test_codes_without_spread_are_said(run, capsys, monkeypatch, scale, expected):
    def scaled(*arguments):
        posterior = encode_posteriors(*arguments)
        return Normal(posterior.loc * scale, posterior.scale, validate_args=False)

    monkeypatch.setattr("disvae.metrics.model.encode_posteriors", scaled)
    (run / "codes-trained.npz").unlink(missing_ok=True)
    assert main(["evaluate", str(run), *FEW]) == 0
    (run / "codes-trained.npz").unlink()
    printed = capsys.readouterr().out
    assert expected in printed if expected else "note" not in printed


def test_fewer_points_can_be_taken(run):
    assert main(["evaluate", str(run), "--points", "200", *FEW]) == 0
    report = json.loads((run / "evaluation.json").read_text())
    assert report["points"] == 200
    assert "untrained" not in report


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--points", "1"], "--points must be at least 2"),
        (["--pionts", "5"], "did you mean '--points'?"),
    ],
)
def test_mistakes_are_named(run, arguments, expected, capsys):
    assert main(["evaluate", str(run), *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_what_is_no_run_says_so(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "is not a run directory" in capsys.readouterr().err


def test_data_without_factors_is_refused(run, capsys, monkeypatch):
    class Unlabelled(ImageDataset):
        def __len__(self):
            return 3

        def images(self, indices):
            return torch.zeros(len(indices), 1, 64, 64, dtype=torch.uint8)

    monkeypatch.setattr("disvae.training.Run.data", lambda self: Unlabelled())
    assert main(["evaluate", str(run)]) == 2
    assert "Unlabelled has no factors" in capsys.readouterr().err


def test_parts_of_the_kl_over_the_whole_data_set(run, capsys):
    assert main(["evaluate", str(run), "--points", "100", "--decompose", "200", *FEW]) == 0
    report = json.loads((run / "evaluation.json").read_text())
    finished = load_run(run)
    generator = torch.Generator().manual_seed(0)
    expected = decompose_dataset(
        finished.model(), finished.data(), 200, generator=generator, progress=False
    )
    actual = report["decomposition"]["trained"]
    assert (actual["n_codes"], actual["n_images"]) == (200, 300)  # not the 100 points alone
    assert list(actual["mean"].values()) == [term.item() for term in expected.mean]
    assert list(actual["standard_error"].values()) == [e.item() for e in expected.standard_error]
    printed = capsys.readouterr().out
    mean, error = expected.mean.mutual_information, expected.standard_error.mutual_information
    assert f"{mean:.3f} ± {error:.3f}" in printed
    assert "200 codes under 300 posteriors" in printed


def test_data_without_factors_has_parts_of_the_kl(run, monkeypatch):
    sprites = load_run(run).data()

    class Unlabelled(ImageDataset):
        max_value = sprites.max_value

        def __len__(self):
            return len(sprites)

        def images(self, indices):
            return sprites.images(indices)

    monkeypatch.setattr("disvae.training.Run.data", lambda self: Unlabelled())
    assert main(["evaluate", str(run), "--decompose", "50"]) == 0
    report = json.loads((run / "evaluation.json").read_text())
    assert set(report) == {"seed", "decomposition"}


@pytest.mark.parametrize(("particles", "label"), [(1, "ELBO"), (3, "3 particles")])
def test_bounds_on_the_evidence(run, capsys, particles, label):
    assert main(["evaluate", str(run), "--points", "20", "--particles", str(particles), *FEW]) == 0
    report = json.loads((run / "evaluation.json").read_text())["evidence"]["trained"]
    finished = load_run(run)
    indices = torch.randperm(300, generator=torch.Generator().manual_seed(0))[:20]
    generator = torch.Generator().manual_seed(0)
    arguments = (finished.model(), finished.data(), indices)
    expected = (
        elbo(*arguments, generator=generator)
        if particles == 1
        else importance_weighted_bound(*arguments, 3, generator=generator, progress=False)
    )
    assert report == {**expected._asdict(), "particles": particles}
    printed = capsys.readouterr().out
    assert label in printed
    assert f"{expected.bound:.2f} ± {expected.standard_error:.2f}" in printed
