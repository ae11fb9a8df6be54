"""The FactorVAE score: codes of known quality, exact frequencies, invariances, errors."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from disvae.metrics import DegenerateCodesWarning, factor_vae_score

FEW = {"train_votes": 400, "eval_votes": 400}


def test_codes_of_known_quality(codes, factors) -> None:
    scores = {name: factor_vae_score(z, factors) for name, z in codes.items()}
    assert scores["perfect"] == 1.0
    assert set(scores["perfect"].per_factor.values()) == {1.0}
    # The best constant answer is right in 1/4 of 5,000 votes, up to 4 standard errors.
    assert scores["random"] == pytest.approx(0.25, abs=0.025)
    assert scores["random"] + 0.1 < scores["rotated"] < 0.95


def test_perfect_code_without_noise_dimensions(factors) -> None:
    score = factor_vae_score(factors, factors, names=["a", "b", "c", "d"])
    assert score == 1.0
    assert score.details["factor_of_dimension"] == ["a", "b", "c", "d"]
    votes = np.array(score.details["votes"])
    assert votes.sum() == 10_000
    assert (votes == np.diag(votes.diagonal())).all()


def test_frequencies_of_votes_are_those_of_enumeration() -> None:
    # Few enough samples that all groups of 2 with replacement can be enumerated.
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0, 1]])
    z = np.array([[0.0, 1.0, 0.3], [0.5, 2.0, 0.9], [3.0, 1.5, 0.2], [2.5, 2.5, 0.1], [1, 0, 0.4]])
    normalized = z / z.std(0)
    expected = np.zeros((3, 2))
    for k in range(2):
        for sample in range(5):
            group = np.flatnonzero(factors[:, k] == factors[sample, k])
            for i, j in product(group, repeat=2):
                distance = np.abs(normalized[i] - normalized[j])
                winners = [d for d in range(3) if distance[d] == distance.min()]  # all if i = j
                for d in winners:
                    expected[d, k] += 0.5 / 5 / len(group) ** 2 / len(winners)
    n = 200_000
    score = factor_vae_score(z, factors, samples_per_vote=2, train_votes=n, eval_votes=n)
    actual = np.array(score.details["votes"]) / n
    assert np.abs(actual - expected).max() < 4.5 * np.sqrt(0.25 / n)
    assert score == pytest.approx(expected.max(1).sum(), abs=4.5 * np.sqrt(0.25 / n))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["perfect", "rotated", "random"]))
def test_units_signs_and_order_of_dimensions_change_nothing(codes, factors, seed, name) -> None:
    rng = np.random.default_rng(seed)
    z = codes[name]
    unit = np.exp(rng.uniform(-7, 7, z.shape[1])) * rng.choice([-1, 1], z.shape[1])
    changed = (z * unit)[:, rng.permutation(z.shape[1])]
    assert factor_vae_score(changed, factors, **FEW) == factor_vae_score(z, factors, **FEW)


def test_ties_do_not_depend_on_the_order_of_dimensions() -> None:
    # Held at most values of a, both dimensions are constant: a tie in most votes.
    a, b = (grid.ravel() for grid in np.meshgrid(range(4), range(4), indexing="ij"))
    z, factors = np.stack([a, b * (a == 0)], axis=1), np.stack([a, b], axis=1)
    score = factor_vae_score(z, factors)
    assert factor_vae_score(z[:, ::-1], factors) == score
    # Half of the votes at a = 1, 2, 3 go to each dimension, and all those at a = 0 to the first.
    votes = np.array(score.details["votes"])
    np.testing.assert_allclose(votes[:, 0] / votes[:, 0].sum(), [5 / 8, 3 / 8], atol=0.03)
    # One of them twice: votes in thirds.
    thirds = {factor_vae_score(z[:, i], factors) for i in ([0, 1, 1], [1, 0, 1], [1, 1, 0])}
    assert len(thirds) == 1


def test_a_perfect_code_repeated_is_perfect(factors) -> None:
    for times in (2, 3, 7):
        assert factor_vae_score(np.tile(factors, (1, times)), factors, **FEW) == 1.0


def test_a_dimension_twice_or_a_constant_one_changes_nothing(codes, factors) -> None:
    z = codes["rotated"]
    expected = factor_vae_score(z, factors, **FEW)
    twice = factor_vae_score(np.concatenate([z, -3 * z[:, ::-1]], axis=1), factors, **FEW)
    assert twice == expected
    constant = np.concatenate([np.full((len(z), 1), 0.1), z], axis=1)
    score = factor_vae_score(constant, factors, **FEW)
    assert score == expected
    assert score.details["dead_dimensions"] == [0]
    assert score.details["factor_of_dimension"][0] is None


def test_pruning_by_standard_deviation(codes, factors) -> None:
    score = factor_vae_score(codes["perfect"], factors, min_std=0.05)
    assert np.array(score.details["votes"])[4:].sum() == 0
    by_hand = factor_vae_score(codes["perfect"][:, :4], factors)
    assert score == by_hand


def test_same_seed_same_score(codes, factors) -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002  the global state that is left alone
    a, b, c = (factor_vae_score(codes["rotated"], factors, seed=seed, **FEW) for seed in (0, 0, 1))
    assert a == b
    assert a.details == b.details
    assert a.details["votes"] != c.details["votes"]
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_tensors_and_arrays_are_alike(codes, factors) -> None:
    expected = factor_vae_score(codes["rotated"], factors, **FEW)
    z = torch.tensor(codes["rotated"], requires_grad=True)
    assert factor_vae_score(z, torch.from_numpy(factors), **FEW) == expected
    assert factor_vae_score(codes["rotated"].tolist(), factors.tolist(), **FEW) == expected


def test_nearly_constant_codes_are_scored_and_said(codes, factors) -> None:
    score = factor_vae_score(1e-3 * codes["perfect"], factors, **FEW)
    assert score == 1.0
    assert score.details["nearly_constant"]
    assert not factor_vae_score(codes["perfect"], factors, **FEW).details["nearly_constant"]


def test_constant_codes_are_chance(factors) -> None:
    with pytest.warns(DegenerateCodesWarning, match="no dimension of the codes varies"):
        score = factor_vae_score(np.full((len(factors), 3), 0.1, np.float32), factors)
    assert score == 0.25
    assert score.details["dead_dimensions"] == [0, 1, 2]
    assert score.details["factor_of_dimension"] == [None] * 3
    assert score.details.keys() == factor_vae_score(factors, factors, **FEW).details.keys()


def test_incomplete_grids(factors, standard) -> None:
    chosen = np.random.default_rng(0).permutation(len(factors))[:500]
    score = factor_vae_score(standard[chosen], factors[chosen], **FEW)
    assert score == 1.0
    assert 2 <= score.details["smallest_group"] <= 20


def test_a_value_that_occurs_once_cannot_be_held() -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 2], [2, 1]])
    score = factor_vae_score(factors + 0.0, factors, **FEW)
    assert score.details["smallest_group"] == 2
    with pytest.raises(ValueError, match="no two samples share a value of 'b'"):
        factor_vae_score(np.eye(3), [[0, 0], [0, 1], [1, 2]], names=["a", "b"])


@pytest.mark.parametrize("wrong", ["samples_per_vote", "train_votes", "eval_votes"])
def test_numbers_of_votes(wrong, factors) -> None:
    with pytest.raises(ValueError, match=wrong):
        factor_vae_score(factors, factors, **{wrong: 0})


def test_draws_do_not_depend_on_the_memory_at_hand(codes, factors, monkeypatch) -> None:
    expected = factor_vae_score(codes["rotated"], factors, **FEW)
    monkeypatch.setattr("disvae.metrics.votes.CHUNK", 1000)
    score = factor_vae_score(codes["rotated"], factors, **FEW)
    assert score == expected
    assert score.details["votes"] == expected.details["votes"]


def test_one_factor_cannot_be_told_from_others(codes, factors) -> None:
    with pytest.raises(ValueError, match="needs 2 at least, got 1"):
        factor_vae_score(codes["random"], factors[:, :1])
