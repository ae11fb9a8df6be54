"""Metrics that learn a classifier, against scikit-learn and plain loops."""

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.svm import LinearSVC

from disvae.metrics import (
    CannotComputeError,
    beta_vae_score,
    downstream_accuracy,
    explicitness,
    infoc,
    infoe,
    infom,
    leakage,
    sap,
)
from disvae.metrics.arrays import check_arrays


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    v = rng.integers(0, [2, 3, 5], size=(900, 3))
    z = np.stack([v[:, 0], v[:, 1] + v[:, 2], v[:, 2]], 1) + 0.4 * rng.normal(size=(900, 3))
    return z * [3.0, 1.0, 0.2], v


def split(arrays, seed):
    train, test = check_arrays(*arrays).split(2 / 3, seed)
    assert sorted([*train, *test]) == list(range(900))
    return train, test


def test_sap_is_that_of_support_vector_machines(arrays) -> None:
    z, v = arrays
    train, test = split(arrays, 4)
    table = np.zeros((3, 3))
    for k in range(3):
        for j in range(3):
            x = z[:, [j]] / z[:, j].std()
            machine = LinearSVC(C=0.01, class_weight="balanced").fit(
                x[train] - x.mean(), v[train, k]
            )
            table[k, j] = machine.score(x[test] - x.mean(), v[test, k])
    score = sap(z, v, seed=4)
    np.testing.assert_allclose(score.details["predictability"], table, atol=0.011)
    ranked = np.sort(score.details["predictability"], axis=1)
    assert score == pytest.approx((ranked[:, -1] - ranked[:, -2]).mean())


def test_sap_of_continuous_factors_is_squared_correlation(arrays) -> None:
    z, v = arrays
    table = np.corrcoef(z.T, v.T)[3:, :3] ** 2
    score = sap(z, v, continuous=True)
    np.testing.assert_allclose(score.details["predictability"], table, atol=1e-12)
    ranked = np.sort(table, axis=1)
    assert score == pytest.approx((ranked[:, -1] - ranked[:, -2]).mean())


def test_explicitness_is_the_area_under_curves(arrays) -> None:
    z, v = arrays
    train, test = split(arrays, 2)
    x = (z - z.mean(0)) / z.std(0)
    areas = []
    for k, size in enumerate((2, 3, 5)):
        p = LogisticRegression(max_iter=1000).fit(x[train], v[train, k]).predict_proba(x[test])
        areas.append(np.mean([roc_auc_score(v[test, k] == c, p[:, c]) for c in range(size)]))
    score = explicitness(z, v, seed=2)
    assert score.details["area"] == pytest.approx(areas)
    assert score == pytest.approx(np.mean([2 * a - 1 for a in areas]))
    assert explicitness(z, v, seed=2, rescale=False) == pytest.approx(np.mean(areas))


def test_explicitness_does_not_ask_where(arrays) -> None:
    z, v = arrays
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    standard = (z - z.mean(0)) / z.std(0)
    assert explicitness(standard @ rotation, v) == pytest.approx(
        float(explicitness(standard, v)), abs=0.01
    )


def test_infomec_by_its_definition(arrays) -> None:
    z, v = arrays
    table = np.zeros((3, 3))
    for k in range(3):
        x = (z - z.mean(0)) / z.std(0)
        table[k] = mutual_info_classif(x, v[:, k], n_neighbors=10, random_state=0)
        table[k] /= mutual_info_score(v[:, k], v[:, k])
    m = (np.mean(table.max(0) / table.sum(0)) - 1 / 3) / (1 - 1 / 3)
    c = (np.mean(table.max(1) / table.sum(1)) - 1 / 3) / (1 - 1 / 3)
    assert infom(z, v) == pytest.approx(m, abs=1e-3)
    assert infoc(z, v) == pytest.approx(c, abs=1e-3)
    x = (z - z.mean(0)) / z.std(0)
    shares = []
    for k, size in enumerate((2, 3, 5)):
        model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=1000)
        p = model.fit(x, v[:, k]).predict_proba(x)
        shares.append(1 + np.log(p[np.arange(900), v[:, k]]).mean() / np.log(size))
    assert infoe(z, v) == pytest.approx(np.mean(shares), abs=1e-3)


def test_dimensions_of_little_range_are_not_in_use(arrays) -> None:
    z, v = arrays
    small = z * [1, 1, 0.01]
    assert infom(small, v).details["dimensions_in_use"] == [0, 1]
    assert infom(small, v, min_range=0.0).details["dimensions_in_use"] == [0, 1, 2]
    with pytest.raises(ValueError, match="neighbors must be from 1 to 899"):
        infom(z, v, neighbors=900)


def test_beta_vae_score_points_are_mean_differences(monkeypatch) -> None:
    """One factor alone in each dimension: the shared one has no difference, and is told exactly."""
    v = np.tile(np.stack(np.divmod(np.arange(20), 5), axis=1), (10, 1))
    settings = {"train_points": 300, "eval_points": 200}
    assert beta_vae_score(v, v, **settings) == 1.0
    seen = {}
    import disvae.metrics.beta_vae as module

    learn = module.logistic_regression
    monkeypatch.setattr(
        module, "logistic_regression", lambda x, y: seen.update(x=x, y=y) or learn(x, y)
    )
    score = beta_vae_score(v, v, pairs=500, standardize=False, **settings)
    assert set(score.per_factor) == {"factor 0", "factor 1"}
    assert (seen["x"][seen["y"] == 0, 0] == 0).all()
    assert (seen["x"][seen["y"] == 1, 1] == 0).all()
    # Two independent values of 0..n-1 differ by (n² - 1) / 3n on average.
    assert seen["x"][seen["y"] == 0, 1].mean() == pytest.approx(24 / 15, abs=0.02)
    assert seen["x"][seen["y"] == 1, 0].mean() == pytest.approx(15 / 12, abs=0.02)
    with pytest.raises(ValueError, match="of 1 at least"):
        beta_vae_score(v, v, pairs=0)


def test_downstream_accuracy_by_number_of_labels(arrays) -> None:
    z, v = arrays
    score = downstream_accuracy(z, v, n_labels=(20, 100, 600, 10_000), names=["a", "b", "c"])
    means = score.details["mean_accuracy"]
    assert list(means) == ["20", "100", "600"]  # 10,000 leave none to test on
    assert score == means["600"] > means["20"]
    order = np.random.default_rng(0).permutation(900)
    x = (z - z.mean(0)) / z.std(0)
    train, test = order[:600], order[600:]
    model = LogisticRegression(max_iter=1000).fit(x[train], v[train, 1])
    assert score.per_factor["b"] == pytest.approx(model.score(x[test], v[test, 1]))
    assert score.details["chance"]["a"] == pytest.approx(np.bincount(v[:, 0]).max() / 900)
    with pytest.raises(CannotComputeError, match="leave none to test on"):
        downstream_accuracy(z, v, n_labels=(899,))


@pytest.mark.parametrize("classifier", ["logistic", "logistic_cv", "boosting", "mlp"])
def test_every_classifier_learns(arrays, classifier) -> None:
    z, v = arrays
    score = downstream_accuracy(z[:400], v[:400, :2], n_labels=(300,), classifier=classifier)
    assert score > np.mean(list(score.details["chance"].values())) + 0.15


@pytest.mark.untyped
def test_unknown_classifier(arrays) -> None:
    with pytest.raises(ValueError, match="classifier must be one of logistic"):
        leakage(*arrays, classifier="svm")


def test_leakage_of_parts_of_the_code(arrays) -> None:
    z, v = arrays
    label = v[:, :1]
    own = leakage(z, label, dimensions=[0], classifier="logistic")
    other = leakage(z, label, dimensions=[1, 2], classifier="logistic")
    assert own > 0.85
    assert abs(other - other.details["chance"]["factor 0"]) < 0.08
    assert other.details["dimensions"] == [1, 2]
    assert own.details["train_accuracy"]["factor 0"] > 0.85
    for wrong in ([], [3], [-1]):
        with pytest.raises(ValueError, match="expected dimensions from 0 to 2"):
            leakage(z, label, dimensions=wrong)


def test_a_network_finds_what_a_line_does_not() -> None:
    """The label is the sign of a product: a linear classifier is at chance."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1500, 2))
    label = (z[:, :1] * z[:, 1:] > 0).astype(int)
    assert leakage(z, label, classifier="logistic") < 0.6
    assert leakage(z, label) > 0.85
