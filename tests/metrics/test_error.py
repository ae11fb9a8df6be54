"""Standard errors against the spread over fresh samples."""

import numpy as np
import pytest

from disvae.metrics import CannotComputeError, Score, dci, mig, with_error


def draw(rng, n=800):
    v = rng.integers(4, size=(n, 2))
    return v + 0.8 * rng.normal(size=(n, 2)), v


def test_error_is_the_spread_over_fresh_samples() -> None:
    rng = np.random.default_rng(0)
    fresh = [float(mig(*draw(rng))) for _ in range(200)]
    errors = [with_error(mig, *draw(rng), repeats=40, seed=i).standard_error for i in range(10)]
    assert np.mean(errors) == pytest.approx(np.std(fresh), rel=0.2)


def test_mean_of_codes_has_the_textbook_error() -> None:
    """For a mean, the delete-half jackknife is the sample's deviation by sqrt n, exactly."""

    def mean(codes, factors, *, seed, names):
        return Score(float(np.mean(codes)), "mean")

    z = np.random.default_rng(0).normal(size=(400, 1))
    score = with_error(mean, z, np.arange(400)[:, None] % 2, repeats=1500)
    assert score.standard_error == pytest.approx(z.std() / 20, rel=0.06)
    low, high = score.interval()
    assert high - low == pytest.approx(2 * 1.96 * score.standard_error)


def test_value_details_and_parts_stay() -> None:
    z, v = draw(np.random.default_rng(0), 200)
    plain, score = dci(z, v, seed=3), with_error(dci, z, v, seed=3, repeats=3)
    assert score == plain
    assert [float(p) for p in score.parts] == [float(p) for p in plain.parts]
    assert all(part.standard_error > 0 for part in score.parts)
    assert set(score.parts[0].details["error_of_factor"]) == {"factor 0", "factor 1"}
    assert "±" in repr(score)
    assert with_error(dci, z, v, seed=3, repeats=3).standard_error == score.standard_error


def test_settings_reach_the_metric() -> None:
    z, v = draw(np.random.default_rng(0))
    assert with_error(mig, z, v, repeats=2, bins=7).details["bins"] == 7


def test_no_error_without_asking_or_from_one_half() -> None:
    z, v = draw(np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs 2 repeats at least"):
        with_error(mig, z, v, repeats=1)
    with pytest.raises(ValueError, match="has no standard error"):
        mig(z, v).interval()


def test_halves_on_which_it_is_not_defined() -> None:
    v = np.zeros((40, 1), dtype=int)
    v[0] = 1  # half of the halves lack the one sample of this value
    with pytest.raises(CannotComputeError, match="of half of the samples is not defined"):
        with_error(mig, np.random.default_rng(0).normal(size=(40, 2)), v, repeats=20)
