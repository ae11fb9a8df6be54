"""DCI: disentanglement, completeness and informativeness."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LassoCV

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.boosting import Sorted, boost
from disvae.metrics.classifiers import quiet
from disvae.metrics.score import Score

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
# The importance of each dimension for each factor, (latent_dim, n_factors), and how well each
# factor is predicted, where it was learned and where it was not.
Fit = tuple[Floats, list[float], list[float]]


def dci(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    predictor: Literal["boosting", "forest", "lasso"] = "boosting",
    train_share: float = 2 / 3,
    weighted: bool = True,
    names: Sequence[str] | None = None,
) -> Score:
    """Disentanglement, with completeness and informativeness as its parts.

    A predictor learns each factor from the codes, and tells how important each dimension was.
    Disentanglement asks whether a dimension matters to one factor alone: one minus the entropy of
    its importances over the factors, to the base of their number, averaged over dimensions by their
    importance. Completeness asks whether one dimension alone matters to a factor: one minus the
    entropy over the dimensions that vary. Informativeness is how well the factors are predicted on
    samples that were not learned from.

    Args:
        codes: (n, latent_dim) floats, usually 15,000 posterior means.
        factors: (n, n_factors) integers.
        seed: of the split and of the forest.
        predictor: "boosting": small trees, those of scikit-learn's GradientBoostingClassifier,
            the usual choice. "forest": scikit-learn's RandomForestClassifier, 100 trees of at most
            depth 10. "lasso": linear regression on the values as numbers, with a penalty chosen by
            cross-validation; only for factors whose values have an order. Informativeness is the
            accuracy of the first two, and R² of lasso, 0 at least.
        train_share: part of the samples that is learned from.
        weighted: weigh factors by their importance in completeness, as all but lasso's
            implementations do, although the importances of a factor add up to 1 in the first two.
        names: one name per factor, for the details.

    Returns:
        The disentanglement, from 0 to 1, ``per_code``; ``parts``: the completeness and the
        informativeness, ``per_factor``; ``details``: ``importance`` (latent_dim x n_factors),
        ``train_informativeness``, ``predictor``, and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; an unknown predictor; or too few
            samples to split.

    Warns:
        DegenerateCodesWarning: no dimension varies; disentanglement and completeness are then 0.

    Reference:
        A Framework for the Quantitative Evaluation of Disentangled Representations, Eastwood and
        Williams 2018, https://openreview.net/forum?id=By-7dz-AZ.

    Example:
        >>> v = np.stack(np.meshgrid(range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 2)
        >>> v = np.tile(v, (20, 1))
        >>> score = dci(v * [2.0, -0.1], v)
        >>> score, score.parts[0]
        (DCI disentanglement = 1.0000, DCI completeness = 1.0000)
    """
    if predictor not in PREDICTORS:
        raise ValueError(f"predictor must be one of {', '.join(PREDICTORS)}, got {predictor!r}")
    arrays = check_arrays(codes, factors, names)
    train, test = arrays.split(train_share, seed)
    arrays.warn_if_dead("DCI", "0")
    importance = np.zeros((arrays.codes.shape[1], len(arrays.names)))
    importance[arrays.live], learned, predicted = PREDICTORS[predictor](arrays, train, test, seed)
    of_codes, of_factors = importance.sum(axis=1), importance.sum(axis=0)
    disentangled = _concentration(importance)
    complete = _concentration(importance[arrays.live].T)
    details = {
        **arrays.details(),
        "importance": importance.tolist(),
        "train_informativeness": dict(zip(arrays.names, learned, strict=True)),
        "predictor": predictor,
    }
    parts = [
        Score(
            _average(complete, of_factors if weighted else (of_factors > 0) * 1.0),
            "DCI completeness",
            dict(zip(arrays.names, complete.tolist(), strict=True)),
            details,
        ),
        Score(
            math.fsum(predicted) / len(predicted),
            "DCI informativeness",
            dict(zip(arrays.names, predicted, strict=True)),
            details,
        ),
    ]
    return Score(
        _average(disentangled, of_codes),
        "DCI disentanglement",
        details=details,
        per_code={int(j): disentangled[j] for j in arrays.live},
        parts=parts,
    )


def _concentration(rows: Floats) -> Floats:
    """One minus the entropy of each row, to the base of its length; 0 where nothing matters."""
    if rows.shape[1] < 2:
        return (rows.sum(axis=1) > 0) * 1.0
    total = rows.sum(axis=1, keepdims=True)
    share = rows / np.where(total > 0, total, 1.0)
    logarithm = np.log(np.where(share > 0, share, 1.0)) / math.log(rows.shape[1])
    found: Floats = np.where(total[:, 0] > 0, 1 + (share * logarithm).sum(axis=1), 0.0).clip(0, 1)
    return found


def _average(values: Floats, weights: Floats) -> float:
    total = math.fsum(weights)
    return math.fsum(values * weights) / total if total > 0 else 0.0


def _boosting(arrays: Arrays, train: Rows, test: Rows, seed: int) -> Fit:
    if len(arrays.live) == 0:
        return _constant(arrays, train, test)
    z = arrays.codes[:, arrays.live]
    data = Sorted(z[train], z[test])
    importance, learned, predicted = [], [], []
    for v in arrays.values.T:
        fitted = boost(data, v[train])
        importance.append(fitted.importance)
        learned.append(float((fitted.train == v[train]).mean()))
        predicted.append(float((fitted.test == v[test]).mean()))
    return np.stack(importance, axis=1), learned, predicted


def _forest(arrays: Arrays, train: Rows, test: Rows, seed: int) -> Fit:
    if len(arrays.live) == 0:
        return _constant(arrays, train, test)
    z = arrays.codes[:, arrays.live]
    importance, learned, predicted = [], [], []
    for v in arrays.values.T:
        forest = RandomForestClassifier(
            100, criterion="entropy", max_depth=10, random_state=seed, n_jobs=-1
        )
        with quiet():
            forest.fit(z[train], v[train])
        importance.append(forest.feature_importances_)
        learned.append(float(forest.score(z[train], v[train])))
        predicted.append(float(forest.score(z[test], v[test])))
    return np.stack(importance, axis=1), learned, predicted


def _lasso(arrays: Arrays, train: Rows, test: Rows, seed: int) -> Fit:
    z = arrays.standard[:, arrays.live]
    targets = arrays.factors - arrays.factors.mean(axis=0)
    targets = targets / targets.std(axis=0)
    importance = np.zeros((len(arrays.live), targets.shape[1]))
    learned, predicted = [0.0] * targets.shape[1], [0.0] * targets.shape[1]
    for k, v in enumerate(targets.T):
        if len(arrays.live) == 0:
            break
        with quiet():
            model = LassoCV(cv=min(5, len(train)), random_state=seed).fit(z[train], v[train])
        importance[:, k] = np.abs(model.coef_)
        learned[k] = max(0.0, float(model.score(z[train], v[train])))
        predicted[k] = max(0.0, float(model.score(z[test], v[test])))
    return importance, learned, predicted


def _constant(arrays: Arrays, train: Rows, test: Rows) -> Fit:
    """Without dimensions the most frequent value of each factor is predicted."""
    most = [np.bincount(v[train]).argmax() for v in arrays.values.T]
    learned = [float((v[train] == m).mean()) for v, m in zip(arrays.values.T, most, strict=True)]
    predicted = [float((v[test] == m).mean()) for v, m in zip(arrays.values.T, most, strict=True)]
    return np.zeros((0, len(most))), learned, predicted


PREDICTORS: dict[str, Callable[[Arrays, Rows, Rows, int], Fit]] = {
    "boosting": _boosting,
    "forest": _forest,
    "lasso": _lasso,
}
