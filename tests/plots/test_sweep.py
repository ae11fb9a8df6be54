import json

import pytest

from disvae import BetaVAEHLoss, FactorVAELoss, Trainer, VAELoss
from disvae.data import Sprites, random_subset
from disvae.models import MLPVAE
from disvae.plots import SweepRecord, read_sweep
from disvae.plots.sweep import settings
from disvae.training import read_log


def make_run(folder, criterion, seed: int = 0, score: float | None = 0.5, **options):
    """A run of two steps, with an evaluation that says ``score``."""
    trainer = Trainer(
        MLPVAE((1, 64, 64), latent_dim=2, hidden=(4,)),
        criterion,
        run_dir=folder,
        seed=seed,
        batch_size=4,
        progress=False,
        accelerator="cpu",
        log_every=1,
        **options,
    )
    trainer.fit(random_subset(Sprites(), 8, seed=0), steps=2)
    report = {"seed": 0, "points": 8, "trained": {"MIG": {"value": score}, "SAP": {"value": None}}}
    (folder / "evaluation.json").write_text(json.dumps(report))
    return folder


def test_a_record_says_what_the_run_says(tmp_path):
    runs = [
        make_run(tmp_path / "vae", VAELoss(), seed=3, score=0.1),
        make_run(tmp_path / "beta-1", BetaVAEHLoss(1.5), seed=0, score=0.2),
        make_run(tmp_path / "beta-4", BetaVAEHLoss(4.0), seed=1, score=0.3),
    ]
    records = read_sweep(runs)
    costs = [read_log(run)[-1]["reconstruction"] for run in runs]
    assert records == [
        SweepRecord("VAELoss", None, costs[0], {"MIG": 0.1}, "weight", 3),
        SweepRecord("BetaVAEHLoss", 1.5, costs[1], {"MIG": 0.2}, "beta", 0),
        SweepRecord("BetaVAEHLoss", 4.0, costs[2], {"MIG": 0.3}, "beta", 1),
    ]


def test_seeds_of_one_setting_have_no_weight(tmp_path):
    run = make_run(tmp_path / "factor", FactorVAELoss(2, gamma=5.0))
    other = make_run(tmp_path / "other", FactorVAELoss(2, gamma=5.0), seed=1)
    assert {record.weight for record in read_sweep([run, other])} == {None}


def test_runs_that_differ_in_more_than_a_weight_are_refused(tmp_path):
    one = make_run(tmp_path / "one", BetaVAEHLoss(1.0))
    other = make_run(tmp_path / "other", BetaVAEHLoss(2.0), lr=0.5)
    third = make_run(tmp_path / "third", BetaVAEHLoss(1.0), seed=1, lr=0.5)
    with pytest.raises(
        ValueError, match=r"runs with BetaVAEHLoss differ in loss\.beta, lr: a sweep"
    ):
        read_sweep([one, other])
    with pytest.raises(ValueError, match="runs with BetaVAEHLoss differ in lr: a sweep has one"):
        read_sweep([one, third])


def test_a_run_without_evaluation_is_named(tmp_path):
    run = make_run(tmp_path / "run", VAELoss())
    (run / "evaluation.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"was not evaluated: `disvae evaluate .*run`"):
        read_sweep([run])
    with pytest.raises(FileNotFoundError, match="not a run directory"):
        read_sweep([tmp_path])


def test_settings_are_the_runs_that_differ_in_their_seed_alone():
    records = [
        SweepRecord("B", 4.0, 1.0, seed=0),
        SweepRecord("A", 2.0, 2.0, seed=0),
        SweepRecord("B", 1.0, 3.0, seed=0),
        SweepRecord("B", 4.0, 4.0, seed=1),
        SweepRecord("A", None, 5.0, seed=0),
    ]
    found = [(s.loss, s.weight, [r.reconstruction for r in s.records]) for s in settings(records)]
    expected = [("B", 1.0, [3.0]), ("B", 4.0, [1.0, 4.0]), ("A", None, [5.0]), ("A", 2.0, [2.0])]
    assert found == expected
    assert settings(records)[1].values("MIG").tolist() == []
    with pytest.raises(ValueError, match=r"two records are of A with weight = 2\.0 and the seed 0"):
        settings([records[1], records[1]])
    with pytest.raises(ValueError, match="at least, got none"):
        settings([])
