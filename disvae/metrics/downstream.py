"""What codes are good for: accuracy of classifiers that learn factors from them."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from disvae.metrics.arrays import Arrays, CannotComputeError, check_arrays
from disvae.metrics.boosting import Sorted, boost
from disvae.metrics.classifiers import logistic_regression, quiet
from disvae.metrics.score import Score

Method = Literal["logistic", "logistic_cv", "boosting", "mlp"]
METHODS = ("logistic", "logistic_cv", "boosting", "mlp")
LARGEST_TEST = 5_000


def downstream_accuracy(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    n_labels: Sequence[int] = (10, 100, 1_000, 10_000),
    classifier: Method = "logistic",
    names: Sequence[str] | None = None,
) -> Score:
    """Accuracy of predicting the factors from the codes, by the number of labels to learn from.

    Args:
        codes: (n, latent_dim) floats, usually 15,000 posterior means; standardised here.
        factors: (n, n_factors) integers.
        seed: of the samples that are learned from, those of fewer labels being among those of more;
            and of the classifier.
        n_labels: numbers of labels; those that leave fewer than 2 samples to test on are left out.
        classifier: "logistic": logistic regression. "logistic_cv": with its penalty by 5-fold
            cross-validation, as disentanglement_lib has it, and slow. "boosting": small trees.
            "mlp": a network with two hidden layers of 256 units.
        names: one name per factor, for the details.

    Returns:
        The mean accuracy over the factors with the most labels, on at most 5,000 other samples;
        ``per_factor``; ``details``: ``accuracy`` by number of labels and factor, ``mean_accuracy``
        by number of labels, ``efficiency`` (with 100 labels by with 10,000, where there are both),
        ``chance`` of each factor (its most frequent value), and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; an unknown classifier; or no
            number of labels that leaves samples to test on.

    Reference:
        Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations,
        Locatello et al. 2019, https://arxiv.org/abs/1811.12359.
    """
    check_method(classifier)
    arrays = check_arrays(codes, factors, names)
    possible = sorted({int(n) for n in n_labels if 2 <= n <= len(arrays) - 2})
    if not possible:
        raise CannotComputeError(
            f"{len(arrays)} samples leave none to test on after {list(n_labels)} to learn from"
        )
    order = np.random.default_rng(seed).permutation(len(arrays))
    test = order[possible[-1] :][:LARGEST_TEST]
    arrays.warn_if_dead("downstream accuracy", "chance")
    accuracy = {str(n): _accuracies(arrays, order[:n], test, classifier, seed) for n in possible}
    means = {n: math.fsum(row.values()) / len(row) for n, row in accuracy.items()}
    efficiency = means["100"] / means["10000"] if {"100", "10000"} <= means.keys() else None
    details = {
        **arrays.details(),
        "accuracy": accuracy,
        "mean_accuracy": means,
        "efficiency": efficiency,
        "chance": {name: chance(v) for name, v in zip(arrays.names, arrays.values.T, strict=True)},
        "classifier": classifier,
    }
    most = str(possible[-1])
    return Score(means[most], "downstream accuracy", accuracy[most], details)


def check_method(classifier: str) -> None:
    """Refuse a classifier that is none."""
    if classifier not in METHODS:
        raise ValueError(f"classifier must be one of {', '.join(METHODS)}, got {classifier!r}")


def chance(v: NDArray[np.int64]) -> float:
    """The share of the most frequent value."""
    return float(np.bincount(v).max() / len(v))


def predict(
    z: NDArray[np.float64],
    v: NDArray[np.int64],
    test_z: NDArray[np.float64],
    classifier: str,
    seed: int,
) -> NDArray[np.int64]:
    """Learn ``v`` from standardised codes ``z``, and predict it for others."""
    if z.shape[1] == 0 or (v == v[0]).all():
        return np.full(len(test_z), np.bincount(v).argmax())
    if classifier == "boosting":
        return boost(Sorted(z, test_z), v).test
    if classifier == "logistic_cv" and np.bincount(v).max() >= 5:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        grid = {"C": np.logspace(-4, 4, 10)}
        model = GridSearchCV(LogisticRegression(max_iter=1000), grid, cv=folds, error_score=0.0)
    elif classifier == "mlp":
        early = len(v) >= 1_000
        model = MLPClassifier((256, 256), early_stopping=early, random_state=seed)
    else:
        return logistic_regression(z, v).predict(test_z)
    with quiet():
        found: NDArray[np.int64] = model.fit(z, v).predict(test_z)
    return found


def _accuracies(
    arrays: Arrays,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    classifier: str,
    seed: int,
) -> dict[str, float]:
    z = arrays.standard[:, arrays.live]
    return {
        name: float((predict(z[train], v[train], z[test], classifier, seed) == v[test]).mean())
        for name, v in zip(arrays.names, arrays.values.T, strict=True)
    }
