import numpy as np
import pytest

from disvae.metrics import CannotComputeError, z_max_variance


def test_perfect_and_turned_codes(factors, standard) -> None:
    score = z_max_variance(standard[:, :3], factors[:, :3], names=["a", "b", "c"])
    assert score == 1.0
    assert score.details["factor_of_dimension"] == ["a", "b", "c"]
    noise = np.random.default_rng(0).normal(size=(len(factors), 3))
    assert z_max_variance(noise, factors[:, :3]) == pytest.approx(1 / 3, abs=0.08)


def test_votes_are_for_the_one_factor_that_varies() -> None:
    """A dimension of the sum of two factors gets the votes of both."""
    v = np.stack(np.divmod(np.arange(12), 4), axis=1)
    score = z_max_variance(v.sum(axis=1, keepdims=True), v)
    votes = np.array(score.details["votes"])
    assert votes.shape == (1, 2)
    assert votes.sum() == 800
    assert score == pytest.approx(0.5, abs=0.06)


def test_samples_that_share_all_factors_but_one_are_needed() -> None:
    v = np.stack([np.arange(9), np.arange(9)], axis=1)
    with pytest.raises(CannotComputeError, match="all factors but 'factor 0'"):
        z_max_variance(v, v)
