"""DCI by its definition, with importances that are given."""

import numpy as np
import pytest
from scipy.stats import entropy

from disvae.metrics import dci


def test_the_three_numbers_by_their_definition(codes, factors) -> None:
    keep = np.random.default_rng(0).choice(len(factors), 900, replace=False)
    z, v = codes["rotated"][keep], factors[keep][:, :3]
    score = dci(z, v, seed=1, names=["a", "b", "c"])
    importance = np.array(score.details["importance"])
    assert importance.sum(axis=0) == pytest.approx([1, 1, 1])
    of_codes = 1 - entropy(importance.T + 1e-11, base=3)
    of_factors = 1 - entropy(importance + 1e-11, base=importance.shape[0])
    weights = importance.sum(axis=1) / importance.sum()
    assert score == pytest.approx((of_codes * weights).sum(), abs=1e-6)
    complete, informative = score.parts
    assert complete == pytest.approx(of_factors.mean(), abs=1e-6)
    assert list(complete.per_factor.values()) == pytest.approx(of_factors.tolist(), abs=1e-6)
    assert informative == pytest.approx(np.mean(list(informative.per_factor.values())))
    assert [part.name for part in score.parts] == ["DCI completeness", "DCI informativeness"]


@pytest.mark.parametrize("predictor", ["boosting", "forest", "lasso"])
def test_quality_is_seen_by_every_predictor(predictor) -> None:
    rng = np.random.default_rng(0)
    v = rng.integers(0, 4, size=(900, 2))
    noise = rng.normal(size=(900, 2))
    perfect = np.concatenate([v, 0.1 * noise], axis=1)
    turned = np.stack([v[:, 0] + v[:, 1], v[:, 0] - v[:, 1]], axis=1) + 0.01 * noise
    best = dci(perfect, v, predictor=predictor)
    assert best > 0.9
    assert best.parts[0] > 0.8
    assert best.parts[1] > 0.95
    worse = dci(turned, v, predictor=predictor)
    assert worse < 0.4
    assert worse.parts[1] > 0.9  # the factors are there, but not apart
    nothing = dci(noise, v, predictor=predictor)
    assert nothing.parts[1] < 0.35


def test_two_dimensions_for_a_factor_are_disentangled_but_not_complete() -> None:
    rng = np.random.default_rng(0)
    v = rng.integers(0, 4, size=(900, 2))
    z = np.stack([v[:, 0] // 2, v[:, 0] % 2, v[:, 1]], axis=1) + 0.01 * rng.normal(size=(900, 3))
    score = dci(z, v)
    assert score > 0.95
    complete = score.parts[0].per_factor
    assert complete["factor 0"] < 0.6
    assert complete["factor 1"] > 0.95


@pytest.mark.untyped
def test_settings_that_cannot_be() -> None:
    v = np.arange(40)[:, None] % 4
    with pytest.raises(ValueError, match="predictor must be one of boosting, forest, lasso"):
        dci(v, v, predictor="tree")
    with pytest.raises(ValueError, match="3 samples cannot be split"):
        dci(v[:3], v[:3])
