"""Boosting against scikit-learn's, whose trees it grows."""

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from disvae.metrics.boosting import Sorted, boost


def data(n_classes, n=600, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    z = rng.normal(size=(n, 4))
    z[:, 0] += 3 * y / n_classes
    z[:, 1] += 2 * (y % 2)
    return z, y


@pytest.mark.parametrize("n_classes", [2, 3, 8])
def test_importances_and_predictions_are_scikit_learn_s(n_classes) -> None:
    z, y = data(n_classes)
    mine = boost(Sorted(z[:400], z[400:]), y[:400], rounds=30)
    theirs = GradientBoostingClassifier(n_estimators=30, random_state=0).fit(z[:400], y[:400])
    np.testing.assert_allclose(mine.importance, theirs.feature_importances_, atol=0.01)
    assert (mine.train == theirs.predict(z[:400])).mean() > 0.96
    # Where 50 samples of a class are learned by heart, trees differ in what they make of others.
    assert (mine.test == theirs.predict(z[400:])).mean() > 0.85
    accuracy = (mine.test == y[400:]).mean()
    assert accuracy == pytest.approx(theirs.score(z[400:], y[400:]), abs=0.04)


def test_one_round_is_exactly_scikit_learn_s() -> None:
    """But that dimensions which tie for a split share it."""
    z, y = data(3)
    mine = boost(Sorted(z[:400], z[400:]), y[:400], rounds=1)
    theirs = GradientBoostingClassifier(n_estimators=1, random_state=0).fit(z[:400], y[:400])
    np.testing.assert_allclose(mine.importance, theirs.feature_importances_, atol=0.002)
    assert (mine.test == theirs.predict(z[400:])).all()


def test_quantiles_are_nearly_as_good(monkeypatch) -> None:
    z, y = data(3, n=3000)
    exact = boost(Sorted(z[:2000], z[2000:]), y[:2000], rounds=20)
    monkeypatch.setattr("disvae.metrics.boosting.MOST_CUTS", 10)
    coarse = boost(Sorted(z[:2000], z[2000:]), y[:2000], rounds=20)
    assert not np.array_equal(exact.importance, coarse.importance)
    np.testing.assert_allclose(coarse.importance, exact.importance, atol=0.02)
    right = [(fitted.test == y[2000:]).mean() for fitted in (coarse, exact)]
    assert right[0] == pytest.approx(right[1], abs=0.02)


def test_order_signs_and_units_change_nothing() -> None:
    z, y = data(4)
    expected = boost(Sorted(z[:400], z[400:]), y[:400], rounds=10)
    turned = z[:, [3, 1, 0, 2]] * [-1e3, 1e-3, -5.0, 1.0]
    found = boost(Sorted(turned[:400], turned[400:]), y[:400], rounds=10)
    np.testing.assert_allclose(found.importance, expected.importance[[3, 1, 0, 2]], atol=0.005)


def test_a_dimension_twice_shares_its_importance() -> None:
    z, y = data(3)
    once = boost(Sorted(z[:400], z[400:]), y[:400], rounds=10).importance
    twice = np.concatenate([z, z[:, :1]], axis=1)
    found = boost(Sorted(twice[:400], twice[400:]), y[:400], rounds=10).importance
    assert found[0] == pytest.approx(found[4])
    assert found[0] + found[4] == pytest.approx(once[0])


def test_one_class_and_one_dimension() -> None:
    z, y = data(3)
    nothing = boost(Sorted(z[:400], z[400:]), np.full(400, 2))
    assert nothing.importance.tolist() == [0] * 4
    assert set(nothing.test) == {2}
    single = boost(Sorted(z[:400, :1], z[400:, :1]), y[:400], rounds=5)
    assert single.importance.tolist() == [1.0]


def test_equal_codes_are_never_cut_apart() -> None:
    """Codes with few values: the two samples of value 1 stay together whatever their classes."""
    z = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0])[:, None]
    fitted = boost(Sorted(z, z), np.array([0, 0, 0, 1, 1, 1]), rounds=5)
    assert fitted.train[2] == fitted.train[3]
    assert fitted.train[[0, 1, 4, 5]].tolist() == [0, 0, 1, 1]


def test_a_class_that_does_not_occur() -> None:
    z, y = data(3)
    fitted = boost(Sorted(z[:400], z[400:]), np.where(y[:400] == 1, 5, y[:400]), rounds=3)
    assert set(fitted.test) <= {0, 2, 5}
