"""Classifiers that metrics learn factors with."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@runtime_checkable
class Classifier(Protocol):
    """What scikit-learn's classifiers have."""

    classes_: Labels

    def predict(self, x: Floats) -> Labels:
        """The class of each sample."""


@runtime_checkable
class ProbabilisticClassifier(Classifier, Protocol):
    """A classifier that also says how sure it is."""

    def predict_proba(self, x: Floats) -> Floats:
        """The probability of each of ``classes_``, (n, n_classes)."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without scikit-learn's warnings of what does not matter to a metric.

    That is what 1,000 steps have not reached, and factors of many values for so few samples.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FitFailedWarning)  # a fold with one class alone
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield


def logistic_regression(x: Floats, y: Labels, **settings: object) -> ProbabilisticClassifier:
    """Multinomial logistic regression; the shares of the classes where nothing can be learned.

    Args:
        x: (n, n_features).
        y: (n,).
        settings: of scikit-learn's LogisticRegression, other than its defaults.
    """
    if x.shape[1] == 0 or (y == y[0]).all():
        constant: ProbabilisticClassifier = DummyClassifier(strategy="prior").fit(
            np.zeros((len(y), 1)), y
        )
        return constant
    with quiet():
        fitted: ProbabilisticClassifier = LogisticRegression(**{"max_iter": 1000} | settings).fit(
            x, y
        )
    return fitted


def linear_svm(x: Floats, y: Labels, regularization: float) -> Classifier:
    """A linear support vector machine, one class against the rest, with balanced classes.

    Args:
        x: (n, n_features).
        y: (n,).
        regularization: C.
    """
    if (y == y[0]).all():
        constant: Classifier = DummyClassifier(strategy="prior").fit(x, y)
        return constant
    with quiet():
        machine = LinearSVC(C=regularization, class_weight="balanced", random_state=0)
        fitted: Classifier = machine.fit(x, y)
    return fitted
