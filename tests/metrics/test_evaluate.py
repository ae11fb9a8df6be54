import copy
import json
import pickle

import pytest

from disvae.metrics import Score, evaluate, factor_vae_score, mig


def test_all_metrics_as_a_table(codes, factors) -> None:
    scores = evaluate(codes["rotated"], factors, seed=3, names=["a", "b", "c", "d"])
    assert list(scores) == ["FactorVAE score", "MIG"]
    assert scores["FactorVAE score"] == factor_vae_score(codes["rotated"], factors, seed=3)
    assert scores["MIG"] == mig(codes["rotated"], factors)
    header, first, second = str(scores).splitlines()
    assert header.split() == ["metric", "score", "a", "b", "c", "d"]
    assert f"{scores['FactorVAE score']:.3f}" in first
    assert f"{scores['MIG'].per_factor['d']:.3f}" in second


def test_some_metrics(codes, factors) -> None:
    def half(z, v, *, seed, names):
        return Score(0.5, "half")

    assert evaluate(codes["random"], factors, metrics={"half": half}) == {"half": 0.5}


def test_json(codes, factors) -> None:
    scores = evaluate(codes["perfect"], factors)
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
