import copy
import json
import pickle

import numpy as np
import pytest

from disvae.metrics import (
    METRICS,
    PRESETS,
    Score,
    evaluate,
    factor_vae_score,
    irs,
    mig,
    modularity,
    preset_metrics,
)


def test_all_metrics(codes, factors) -> None:
    keep = np.random.default_rng(0).choice(len(factors), 400, replace=False)
    z, v = codes["rotated"][keep], factors[keep][:, :3]
    scores = evaluate(z, v, seed=3)
    parts = {"DCI disentanglement", "DCI completeness", "DCI informativeness"}
    assert set(scores) == (set(METRICS) - {"DCI"}) | parts
    assert not scores.skipped
    for name, metric in METRICS.items():
        alone = metric(z, v, seed=3)
        assert scores[alone.name if alone.parts else name] == alone
    assert json.dumps(scores.to_json())


def test_table(codes, factors) -> None:
    chosen = ["FactorVAE score", "MIG"]
    names = ["a", "b", "c", "d"]
    scores = evaluate(codes["rotated"], factors, seed=3, names=names, metrics=chosen)
    assert list(scores) == chosen
    assert scores["FactorVAE score"] == factor_vae_score(codes["rotated"], factors, seed=3)
    assert scores["MIG"] == mig(codes["rotated"], factors)
    header, first, second = str(scores).splitlines()
    assert header.split() == ["metric", "score", "a", "b", "c", "d"]
    assert f"{scores['FactorVAE score']:.3f}" in first
    assert f"{scores['MIG'].per_factor['d']:.3f}" in second


def test_a_metric_that_is_not_defined_is_said_and_left_out(codes) -> None:
    v = np.arange(2880)[:, None] % 3
    scores = evaluate(codes["random"], v, metrics=["FactorVAE score", "MIG"])
    assert list(scores) == ["MIG"]
    assert "needs 2 at least" in scores.skipped["FactorVAE score"]
    assert "FactorVAE score: not computed: " in str(scores)


def test_standard_errors_of_all_and_their_column(codes, factors) -> None:
    chosen = ["MIG", "modularity"]
    plain = evaluate(codes["rotated"], factors, metrics=chosen)
    scores = evaluate(codes["rotated"], factors, metrics=chosen, repeats=4)
    assert scores == plain
    assert all(score.standard_error > 0 for score in scores.values())
    header, first, _ = str(scores).splitlines()
    assert header.split()[:3] == ["metric", "score", "error"]
    assert f"{scores['MIG'].standard_error:.3f}" in first
    with pytest.raises(ValueError, match="repeats must be 0 or 2 at least"):
        evaluate(codes["rotated"], factors, repeats=1)


def test_presets(codes, factors) -> None:
    z, v = codes["rotated"], factors
    scores = evaluate(z, v, preset="disentanglement_lib", metrics=["MIG", "IRS", "modularity"])
    assert scores["MIG"] == mig(z, v, bins=20)
    assert scores["IRS"] == irs(z, v, quantile=0.99, weighted=True)
    assert scores["modularity"] == modularity(z, v, bins=20, count_dead=True)
    for preset, settings in PRESETS.items():
        assert set(preset_metrics(preset)) == set(settings) <= set(METRICS)
    with pytest.raises(ValueError, match="preset must be one of default, paper"):
        evaluate(z, v, preset="dlib")
    with pytest.raises(ValueError, match="'disentanglement_lib' has no metric 'AAM'"):
        evaluate(z, v, preset="disentanglement_lib", metrics=["AAM"])


def test_some_metrics(codes, factors) -> None:
    def half(z, v, *, seed, names):
        return Score(0.5, "half")

    assert evaluate(codes["random"], factors, metrics={"half": half}) == {"half": 0.5}


def test_json(codes, factors) -> None:
    scores = evaluate(codes["perfect"], factors, metrics=["FactorVAE score", "MIG"])
    written = json.loads(json.dumps(scores.to_json()))
    assert written["MIG"]["value"] == pytest.approx(float(scores["MIG"]))
    assert written["FactorVAE score"]["details"]["chance"] == 0.25
    assert json.loads(json.dumps(scores)) == {name: float(s) for name, s in scores.items()}


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_scores_survive_copying(duplicate) -> None:
    score = duplicate(Score(0.25, "MIG", {"a": 0.25}, {"bins": 20}))
    assert score == 0.25
    assert (score.name, score.per_factor, score.details) == ("MIG", {"a": 0.25}, {"bins": 20})
    assert repr(score) == "MIG = 0.2500"
