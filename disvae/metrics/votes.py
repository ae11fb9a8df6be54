"""Votes of dimensions for factors: samples that share something, and what varies among them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, CannotComputeError
from disvae.metrics.score import Score

CHUNK = 2**21  # codes gathered at once
DIGITS = 12  # of an accuracy: what is left of thirds of votes that are added up
TIE = 1e-9  # variances closer than this are equal: rounding depends on the unit of a dimension

# From the variances of some groups, (group, dimension), the share of each dimension in the vote.
Choice = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class SampleGroups:
    """The samples by a key; of groups of one, which have no variance, none.

    Args:
        keys: an integer per sample.
        what: what the samples of a group share, for the message.

    Raises:
        CannotComputeError: every group is of one sample.
    """

    def __init__(self, keys: NDArray[np.int64], what: str) -> None:
        _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(counts[group] > 1)
        if len(shared) == 0:
            raise CannotComputeError(
                f"no two samples share {what}, so that it cannot be held fixed: give more samples "
                "or fewer values"
            )
        starts = np.cumsum(counts) - counts
        self.members = np.argsort(group, kind="stable")  # group after group
        self.samples = shared
        self.starts = starts[group[shared]]
        self.sizes = counts[group[shared]]

    def draw(self, n: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``n`` groups of ``size`` samples each, all of one key, with replacement."""
        group = rng.integers(len(self.starts), size=n)
        offset = rng.random((n, size)) * self.sizes[group, None]
        drawn: NDArray[np.int64] = self.members[self.starts[group, None] + offset.astype(np.int64)]
        return drawn


@dataclass(frozen=True)
class VoteCounts:
    """How many votes there are, and of how many samples each.

    Raises:
        ValueError: fewer than 2 samples a vote, or no vote.
    """

    train: int
    evaluation: int
    samples: int

    def __post_init__(self) -> None:
        if min(self.samples - 1, self.train, self.evaluation) < 1:
            raise ValueError(
                "expected samples_per_vote >= 2, train_votes >= 1 and eval_votes >= 1, got "
                f"{self.samples}, {self.train} and {self.evaluation}"
            )


def vote(
    arrays: Arrays,
    groups: Sequence[SampleGroups],
    choose: Choice,
    counts: VoteCounts,
    used: NDArray[np.int64],
    seed: int,
    name: str,
) -> Score:
    """The accuracy of the majority vote: which factor the chosen dimension stands for.

    Args:
        arrays: codes and factors.
        groups: for each factor, the groups to draw from.
        choose: the dimension that a group votes for.
        counts: of votes and samples.
        used: the dimensions that take part.
        seed: of the draws.
        name: of the metric.
    """
    n_factors = len(arrays.names)
    details = {
        **arrays.details(),
        "chance": 1 / n_factors,
        "smallest_group": min(int(group.sizes.min()) for group in groups),
    }
    if len(used) == 0:
        per_factor = dict.fromkeys(arrays.names, 1 / n_factors)
        details |= {"train_accuracy": 1 / n_factors}
        details |= _by_dimension(np.zeros((0, n_factors)), used, arrays)
        return Score(1 / n_factors, name, per_factor, details)
    rng = np.random.default_rng(seed)
    normalized = [arrays.columns(j) / arrays.spread[j] for j in used.tolist()]
    train, evaluation = (
        _count_votes(normalized, groups, choose, n, counts.samples, rng)
        for n in (counts.train, counts.evaluation)
    )
    factor_of = train.argmax(axis=1)
    hits = [math.fsum(evaluation[factor_of == k, k]) for k in range(n_factors)]
    cast = evaluation.sum(axis=0).round()
    per_factor = {
        name: round(h / c, DIGITS) for name, h, c in zip(arrays.names, hits, cast, strict=True) if c
    }
    details |= {"train_accuracy": round(math.fsum(train.max(axis=1)) / counts.train, DIGITS)}
    details |= _by_dimension(train, used, arrays)
    return Score(round(math.fsum(hits) / counts.evaluation, DIGITS), name, per_factor, details)


def _count_votes(
    dimensions: Sequence[NDArray[np.float64]],
    groups: Sequence[SampleGroups],
    choose: Choice,
    n_votes: int,
    size: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """How many votes each dimension got from each factor, (latent_dim, n_factors)."""
    n_factors = len(groups)
    votes = np.zeros((len(dimensions), n_factors))
    columns = np.concatenate(dimensions, axis=1)
    starts = np.cumsum([0, *(z.shape[1] for z in dimensions[:-1])])
    for k, n in enumerate(np.bincount(rng.integers(n_factors, size=n_votes), minlength=n_factors)):
        drawn = groups[k].draw(int(n), size, rng)  # (vote, sample), all before any is looked up
        for part in np.array_split(drawn, math.ceil(drawn.size * columns.shape[1] / CHUNK) or 1):
            variances = np.add.reduceat(_variances(columns[part]), starts, axis=1)
            votes[:, k] += choose(variances).sum(axis=0)
    return votes.round(DIGITS)


def _variances(groups: NDArray[np.float64]) -> NDArray[np.float64]:
    centered = groups - groups[:, :1]  # so that equal codes have a variance of exactly 0
    found: NDArray[np.float64] = centered.var(axis=1, ddof=1)
    return found


def least(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each group's one vote, for its dimensions of least variance.

    Ties happen: several dimensions may stay constant when a factor does. To give such a vote to
    the first of them would make the score depend on the order of the dimensions.
    """
    tied = variance <= variance.min(axis=1, keepdims=True) * (1 + TIE) + TIE**2
    return _shared(tied)


def greatest(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each group's one vote, for its dimensions of greatest variance; ties are shared."""
    tied = variance >= variance.max(axis=1, keepdims=True) * (1 - TIE)
    return _shared(tied)


def _shared(tied: NDArray[np.bool_]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = tied / tied.sum(axis=1, keepdims=True)
    return share


def _by_dimension(
    votes: NDArray[np.float64], used: NDArray[np.int64], arrays: Arrays
) -> dict[str, object]:
    """The votes of all dimensions, those left out included, and what each stands for."""
    table = np.zeros((arrays.codes.shape[1], votes.shape[1]))
    table[used] = votes
    stands_for = [arrays.names[row.argmax()] if row.any() else None for row in table]
    return {"votes": table.tolist(), "factor_of_dimension": stands_for}
