"""Gradient boosting of small trees, for all classes at once.

The trees and the importances are those of scikit-learn's ``GradientBoostingClassifier`` with its
default settings, which is what published DCI scores are computed with: the same losses, first
scores, leaf values and importances, but thresholds from 256 quantiles of each dimension. One tree
is grown for each class in every round. Here they grow together: the sums of the residuals of all
classes in all bins are one product of a sparse matrix, which stays the same throughout, with a
dense one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

BINS = 256
TIE = 1e-9  # gains closer than this, relatively, are equal
SMALL = 1e-12  # a gain below this, in units of the residuals' square, is rounding

Floats = NDArray[np.float64]


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
    train: NDArray[np.int64]
    test: NDArray[np.int64]


class Binned:
    """Samples as bins between quantiles, and the matrix that sums over the samples of each bin.

    Args:
        train: what the quantiles are of, (n, latent_dim).
        test: further samples, (m, latent_dim).
    """

    def __init__(self, train: Floats, test: Floats) -> None:
        edges = [thresholds(column) for column in train.T]
        columns = [
            np.searchsorted(e, np.concatenate([a, b]))
            for e, a, b in zip(edges, train.T, test.T, strict=True)
        ]
        self.bins = np.stack(columns, axis=1).astype(np.int16)
        self.n_train, self.n_dims = train.shape
        self.n_bins = max(2, *(len(e) + 1 for e in edges))
        cell = self.bins[: self.n_train] + np.arange(self.n_dims) * self.n_bins
        order = np.argsort(cell.T.ravel(), kind="stable")
        counts = np.bincount(cell.ravel(), minlength=self.n_dims * self.n_bins)
        pointers = np.concatenate([[0], np.cumsum(counts)])
        samples = order % self.n_train
        shape = (self.n_dims * self.n_bins, self.n_train)
        self._indicator = csr_array((np.ones(len(samples)), samples, pointers), shape=shape)

    def left_sums(self, values: Floats) -> Floats:
        """Of each column, the sum over the samples up to each bin: (dims, bins, columns)."""
        sums = (self._indicator @ values).reshape(self.n_dims, self.n_bins, -1)
        total: Floats = sums.cumsum(axis=1, out=sums)
        return total


def boost(
    data: Binned,
    labels: NDArray[np.int64],
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
    n_classes = int(labels.max()) + 1
    if n_classes < 2:
        nothing = np.zeros(len(data.bins), dtype=np.int64)
        return Boosted(np.zeros(data.n_dims), nothing[: data.n_train], nothing[data.n_train :])
    truth = np.eye(n_classes)[labels]
    if n_classes == 2:
        truth = truth[:, 1:]  # one tree in each round tells two classes apart
    shares = truth.mean(axis=0).clip(SMALL, 1 - SMALL)
    start = np.log(shares / (1 - shares)) if n_classes == 2 else np.log(shares)
    scores = np.tile(start, (len(data.bins), 1))
    importance = np.zeros(data.n_dims)
    for _ in range(rounds):
        p = _probabilities(scores[: data.n_train])
        leaf, gains = _grow(data, truth - p, depth)
        importance += gains
        values = _leaf_values(leaf[: data.n_train], truth - p, p * (1 - p), 2**depth)
        if n_classes > 2:
            values *= (n_classes - 1) / n_classes
        scores += learning_rate * np.take_along_axis(values, leaf, axis=0)
    total = importance.sum()
    best = scores.argmax(axis=1) if n_classes > 2 else (scores[:, 0] > 0).astype(np.int64)
    share = importance / total if total > 0 else importance
    return Boosted(share, best[: data.n_train], best[data.n_train :])


def thresholds(column: Floats) -> Floats:
    """At most ``BINS - 1`` values between samples, that divide them equally; mirrored when it is.

    Args:
        column: (n,).
    """
    n, ordered = len(column), np.sort(column)
    half = np.round(np.arange(1, BINS // 2 + 1) * n / BINS).astype(np.int64)
    cuts = np.unique(np.concatenate([half, n - half]))
    distinct = np.flatnonzero(np.diff(ordered) > 0) + 1
    if len(distinct) >= BINS:  # otherwise between any two values
        distinct = np.intersect1d(cuts, distinct)
    middles: Floats = (ordered[distinct - 1] + ordered[distinct]) / 2
    return middles


def _probabilities(scores: Floats) -> Floats:
    if scores.shape[1] == 1:
        return 1 / (1 + np.exp(-scores))
    p: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def _grow(data: Binned, residual: Floats, depth: int) -> tuple[NDArray[np.int64], Floats]:
    """A tree for each column: the leaf of each sample, and the gain of each dimension."""
    n, n_columns = len(residual), residual.shape[1]
    leaf = np.zeros((len(data.bins), n_columns), dtype=np.int64)
    importance = np.zeros(data.n_dims)
    counts = data.left_sums(np.ones((n, 1)))
    nodes = [(data.left_sums(residual), np.broadcast_to(counts, (*counts.shape[:2], n_columns)))]
    for level in range(depth):
        goes_right = np.zeros(leaf.shape, dtype=bool)
        for node, (sums, sizes) in enumerate(nodes):
            dimension, cut, gains = _best_split(sums, sizes)
            importance += gains
            inside = leaf == node if level else np.True_
            goes_right |= inside & (data.bins[:, dimension] > cut)
        leaf = 2 * leaf + goes_right
        if level + 1 < depth:
            nodes = [
                child
                for node, whole in enumerate(nodes)
                for child in _children(data, residual, leaf[:n] == 2 * node, whole)
            ]
    return leaf, importance


def _children(
    data: Binned, residual: Floats, left: NDArray[np.bool_], whole: tuple[Floats, Floats]
) -> list[tuple[Floats, Floats]]:
    """The sums of both children of a node: those of the left one, and what remains."""
    mask = left.astype(np.float64)
    sums, sizes = data.left_sums(residual * mask), data.left_sums(mask)
    return [(sums, sizes), (whole[0] - sums, whole[1] - sizes)]


def _best_split(sums: Floats, sizes: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Of each column the dimension and the last bin on its left; and the gain of each dimension.

    The gain is what a split takes from the sum of squares of the residuals. Dimensions that tie
    for it share it, so that their order does not matter. Where no split gains anything all samples
    stay on the left.
    """
    total, size = sums[:, -1:], sizes[:, -1:]
    left, n_left = sums[:, :-1], sizes[:, :-1]
    n_right = size - n_left
    # G_l²/n_l + G_r²/n_r - G²/n is one square.
    between = left * size - total * n_left
    weight = n_left * n_right * np.maximum(size, 1.0)
    possible = weight > 0.5
    gain = np.zeros_like(between)
    np.divide(between * between, weight, out=gain, where=possible)
    cut = gain.argmax(axis=1)  # (dims, columns)
    of_dimension = np.take_along_axis(gain, cut[:, None], axis=1)[:, 0]
    best = of_dimension.max(axis=0)
    tied = (of_dimension >= best * (1 - TIE)) & (best > SMALL)
    chosen = of_dimension.argmax(axis=0)
    columns = np.arange(len(chosen))
    last = np.where(best > SMALL, cut[chosen, columns], sums.shape[1])
    shared = tied * best / np.maximum(tied.sum(axis=0), 1)
    return chosen, last, shared.sum(axis=1)


def _leaf_values(
    leaf: NDArray[np.int64], residual: Floats, curvature: Floats, n_leaves: int
) -> Floats:
    """One Newton step for each leaf of each column, (n_leaves, columns)."""
    n_columns = leaf.shape[1]
    cell = (leaf + np.arange(n_columns) * n_leaves).ravel()
    size = n_columns * n_leaves
    up = np.bincount(cell, residual.ravel(), minlength=size)
    down = np.bincount(cell, curvature.ravel(), minlength=size)
    step = np.zeros(size)
    np.divide(up, down, out=step, where=down > 1e-150)
    return step.reshape(n_columns, n_leaves).T
