"""Gradient boosting of small trees, fast enough for factors of many values.

The trees, the predictions and the importances are those of scikit-learn's
``GradientBoostingClassifier`` with its default settings, which published DCI scores are computed
with: the same losses, first scores, leaf values and importances. One tree is grown for each class
in every round, on the residuals 1[y = c] - p_c, and nearly all the time goes into the search for
the best cut. Two things make it short here:

- The best cut of a class has one of its samples on one side: on the way from one to the next the
  residuals are all negative and nearly equal, and the gain is convex along it. So a class of few
  samples has few cuts to look at, and the samples in between count as one.
- Samples are sorted once, and the sums between cuts are then one sparse product for all dimensions
  and all nodes of a level.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

MOST_CUTS = 1024  # of a dimension beside the samples of a class; with more, between 256 quantiles
QUANTILES = 256
TIE = 1e-9  # gains closer than this, relatively, are equal
SMALL = 1e-12  # a gain below this, in units of the residuals' square, is rounding

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Boosted:
    """What a boosted classifier learned.

    Attributes:
        importance: the share of each dimension in the gain of all splits, (latent_dim,); all 0 if
            there was no split.
        train: the predicted class of each training sample.
        test: the predicted class of each test sample.
    """

    importance: Floats
    train: Indices
    test: Indices


class Sorted:
    """Samples sorted by each dimension.

    Args:
        train: to learn from, (n, latent_dim).
        test: to predict, (m, latent_dim).
    """

    def __init__(self, train: Floats, test: Floats) -> None:
        self.n_train, self.n_dims = train.shape
        self.columns = np.ascontiguousarray(np.concatenate([train, test]).T)
        self.order = np.argsort(train.T, axis=1, kind="stable")
        self.values = np.take_along_axis(train.T, self.order, axis=1)
        self.ones = np.ones(self.order.size)


def boost(
    data: Sorted,
    labels: Indices,
    rounds: int = 100,
    depth: int = 3,
    learning_rate: float = 0.1,
) -> Boosted:
    """Learn a class from codes.

    Args:
        data: the codes.
        labels: of the training samples, (n,), from 0.
        rounds: trees of each class.
        depth: of each tree.
        learning_rate: by which each tree's values are multiplied.
    """
    n, n_classes = data.n_train, int(labels.max()) + 1
    if (labels == labels[0]).all():
        return Boosted(
            np.zeros(data.n_dims), labels.copy(), np.full(data.columns.shape[1] - n, labels[0])
        )
    truth = np.eye(n_classes)[:, labels]
    if n_classes == 2:
        truth = truth[1:]  # one tree in each round tells two classes apart
    shares = truth.mean(axis=1).clip(SMALL, 1 - SMALL)
    start = np.log(shares / (1 - shares)) if n_classes == 2 else np.log(shares)
    scores = np.tile(start[:, None], data.columns.shape[1])
    classes = [(c, Cuts(data, truth[c] > 0)) for c in np.flatnonzero(truth.any(axis=1))]
    step = learning_rate * (1.0 if n_classes == 2 else (n_classes - 1) / n_classes)
    importance = np.zeros(data.n_dims)
    for _ in range(rounds):
        p = _probabilities(scores[:, :n])
        residual, curvature = truth - p, p * (1 - p)
        for c, cuts in classes:
            leaf, gains = _grow(data, cuts, residual[c], depth)
            importance += gains
            scores[c] += step * _newton(leaf[:n], residual[c], curvature[c], 2**depth)[leaf]
    total = importance.sum()
    best = scores.argmax(axis=0) if n_classes > 2 else (scores[0] > 0).astype(np.int64)
    return Boosted(importance / total if total > 0 else importance, best[:n], best[n:])


class Cuts:
    """Where a dimension may be cut for one class, and the sums of samples between the cuts.

    Args:
        data: the samples.
        positive: which of them are of the class.

    Attributes:
        dimension: of each stretch between cuts, all dimensions one after another.
        threshold: at the upper end of each stretch.
        first: the first stretch of each dimension.
        counts: the samples up to the end of each stretch, in its dimension.
    """

    def __init__(self, data: Sorted, positive: NDArray[np.bool_]) -> None:
        ends, thresholds = [], []
        for order, values in zip(data.order, data.values, strict=True):
            cuts = _cuts(values, positive[order])
            ends.append(np.append(cuts, data.n_train))
            thresholds.append(np.append((values[cuts - 1] + values[cuts]) / 2, np.inf))
        sizes = np.array([len(end) for end in ends])
        self.dimension = np.repeat(np.arange(data.n_dims), sizes)
        self.threshold = np.concatenate(thresholds)
        self.first = np.cumsum(sizes) - sizes
        self.counts = np.concatenate(ends)[:, None].astype(np.float64)
        pointers = np.append(0, self.counts[:, 0] + self.dimension * data.n_train)
        shape = (len(self.dimension), data.n_train)
        parts = (data.ones, data.order.ravel(), pointers.astype(np.int64))
        self._stretches = csr_array(parts, shape=shape)

    def sums(self, values: Floats) -> Floats:
        """Of each column of ``values``, (n, k), the sum up to the end of each stretch."""
        running: Floats = (self._stretches @ values).cumsum(axis=0)
        total = running[self.first[1] - 1] if len(self.first) > 1 else running[-1]
        running -= self.dimension[:, None] * total  # every dimension starts from 0
        return running


def _cuts(values: Floats, positive: NDArray[np.bool_]) -> Indices:
    """The positions in sorted values before which to cut: never between equal ones."""
    n = len(values)
    distinct = np.flatnonzero(np.diff(values) > 0) + 1
    starts = np.append(0, distinct)
    has = np.add.reduceat(positive, starts, dtype=np.int64) > 0
    beside = distinct[has[:-1] | has[1:]]
    if len(beside) <= MOST_CUTS:
        return beside
    half = np.round(np.arange(1, QUANTILES // 2 + 1) * n / QUANTILES).astype(np.int64)
    return np.intersect1d(distinct, np.concatenate([half, n - half]))


def _probabilities(scores: Floats) -> Floats:
    if len(scores) == 1:
        return 1 / (1 + np.exp(-scores))
    p: Floats = np.exp(scores - scores.max(axis=0))
    p /= p.sum(axis=0)
    return p


def _grow(data: Sorted, cuts: Cuts, residual: Floats, depth: int) -> tuple[Indices, Floats]:
    """A tree: the leaf of each sample, those to test on included, and the gain by dimension."""
    n = data.n_train
    leaf = np.zeros(data.columns.shape[1], dtype=np.int64)
    importance = np.zeros(data.n_dims)
    sums, counts = cuts.sums(residual[:, None]), cuts.counts
    for level in range(depth):
        if level:
            inside = (leaf[:n, None] == np.arange(0, 2**level, 2)).astype(np.float64)
            left = cuts.sums(np.concatenate([inside * residual[:, None], inside], axis=1))
            k = inside.shape[1]
            sums = _interleave(left[:, :k], sums - left[:, :k])
            counts = _interleave(left[:, k:], counts - left[:, k:])
        at, gains = _best_cuts(cuts, sums, counts)
        importance += gains
        right = np.zeros(leaf.shape, dtype=bool)
        for node, row in enumerate(at):
            if row >= 0:
                beyond = data.columns[cuts.dimension[row]] > cuts.threshold[row]
                right |= beyond & (leaf == node) if level else beyond
        leaf = 2 * leaf + right
    return leaf, importance


def _interleave(left: Floats, right: Floats) -> Floats:
    return np.stack([left, right], axis=2).reshape(len(left), -1)


def _best_cuts(cuts: Cuts, sums: Floats, counts: Floats) -> tuple[Indices, Floats]:
    """The best cut of each node, -1 if none gains anything; and the gain of each dimension.

    The gain is what a cut takes from the sum of squares of the residuals. Dimensions that tie for
    it share it, so that their order does not matter.
    """
    total, size = sums[-1], counts[-1]
    # G_l²/n_l + G_r²/n_r - G²/n is one square.
    between = sums * size - total * counts
    weight = counts * (size - counts) * size
    gain = np.zeros_like(between)
    np.divide(between * between, weight, out=gain, where=weight > 0.5)
    of_dimension = np.maximum.reduceat(gain, cuts.first, axis=0)
    best = of_dimension.max(axis=0)
    tied = (of_dimension >= best * (1 - TIE)) & (best > SMALL)
    shared = tied * best / np.maximum(tied.sum(axis=0), 1)
    return np.where(best > SMALL, gain.argmax(axis=0), -1), shared.sum(axis=1)


def _newton(leaf: Indices, residual: Floats, curvature: Floats, n_leaves: int) -> Floats:
    """One Newton step for each leaf."""
    up = np.bincount(leaf, residual, minlength=n_leaves)
    down = np.bincount(leaf, curvature, minlength=n_leaves)
    step = np.zeros(n_leaves)
    np.divide(up, down, out=step, where=down > 1e-150)
    return step
