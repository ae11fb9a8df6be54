"""The FactorVAE score."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, DegenerateCodesWarning, check_arrays
from disvae.metrics.score import Score

CHUNK = 2**21  # codes gathered at once
DIGITS = 12  # of an accuracy: what is left of thirds of votes that are added up
TIE = 1e-9  # variances closer than this are equal: rounding depends on the unit of a dimension


def factor_vae_score(
    codes: object,
    factors: object,
    *,
    seed: int = 0,
    samples_per_vote: int = 64,
    train_votes: int = 10_000,
    eval_votes: int = 5_000,
    min_std: float = 0.0,
    names: Sequence[str] | None = None,
) -> Score:
    """Accuracy of telling which factor was held fixed from the dimension that varies least.

    A vote: draw a factor, a value of it, and ``samples_per_vote`` samples that have this value;
    divide each dimension by its standard deviation over all samples; the vote is the dimension of
    least variance, and is shared between dimensions that tie for it. Each dimension is then taken
    to stand for the factor most of its training votes came from, and the score is the accuracy of
    this on fresh votes. 1 is best, chance is 1 / n_factors. Permuting, negating and rescaling
    dimensions change nothing.

    The numbers of votes are those of disentanglement_lib, in which most published scores are
    computed; the paper has 800 votes of 100 samples and no fresh ones. Only dimensions that are
    constant up to rounding are left out. ``min_std=0.05`` also leaves out what disentanglement_lib
    does, which makes the score depend on the codes' unit; the paper leaves out the dimensions whose
    KL to the prior is about 0: give it ``codes[:, kl > 0.01]`` to do so.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers; not every combination need occur.
        seed: of the votes.
        samples_per_vote: L, drawn with replacement.
        train_votes: votes that decide which factor a dimension stands for.
        eval_votes: votes that are scored.
        min_std: dimensions with a smaller standard deviation are left out.
        names: one name per factor, for the details.

    Returns:
        The accuracy; ``per_factor``: the accuracy of each factor's votes; ``details``: ``votes``
        (latent_dim x n_factors, of training; fractions where they were shared),
        ``factor_of_dimension`` (by majority; None without votes), ``train_accuracy``, ``chance``,
        ``smallest_group`` (samples of the rarest value used), ``dead_dimensions``, ``code_std``,
        ``nearly_constant``.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; a single factor; numbers below
            1; or a factor no two samples share a value of.

    Warns:
        DegenerateCodesWarning: no dimension is left; the score is then chance.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        section 4 and appendix B.

    Example:
        >>> v = np.stack(np.meshgrid(range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 2)
        >>> factor_vae_score(v * [2.0, -0.1], v)
        FactorVAE score = 1.0000
    """
    if min(samples_per_vote - 1, train_votes, eval_votes) < 1:
        raise ValueError(
            "expected samples_per_vote >= 2, train_votes >= 1 and eval_votes >= 1, got "
            f"{samples_per_vote}, {train_votes} and {eval_votes}"
        )
    arrays = check_arrays(codes, factors, names)
    if len(arrays.names) < 2:
        raise ValueError(
            "the FactorVAE score tells factors apart, so that it needs 2 at least, got 1: "
            "use mig, or evaluate(..., metrics={'MIG': mig})"
        )
    used = np.flatnonzero((arrays.std > 0) & (arrays.std >= min_std))
    n_factors = arrays.factors.shape[1]
    groups = [_Groups(name, v) for name, v in zip(arrays.names, arrays.factors.T, strict=True)]
    details = {
        **arrays.details(),
        "chance": 1 / n_factors,
        "smallest_group": min(int(group.sizes.min()) for group in groups),
    }
    if len(used) == 0:
        warnings.warn(
            "no dimension of the codes varies: the FactorVAE score is chance",
            DegenerateCodesWarning,
            stacklevel=2,
        )
        per_factor = dict.fromkeys(arrays.names, 1 / n_factors)
        details |= {"train_accuracy": 1 / n_factors}
        details |= _by_dimension(np.zeros((0, n_factors)), used, arrays)
        return Score(1 / n_factors, "FactorVAE score", per_factor, details)

    rng = np.random.default_rng(seed)
    normalized = arrays.codes[:, used] / arrays.std[used]
    train, evaluation = (
        _count_votes(normalized, groups, n_votes, samples_per_vote, rng)
        for n_votes in (train_votes, eval_votes)
    )
    factor_of = train.argmax(axis=1)
    hits = [math.fsum(evaluation[factor_of == k, k]) for k in range(n_factors)]
    cast = evaluation.sum(axis=0).round()
    per_factor = {
        name: round(h / c, DIGITS) for name, h, c in zip(arrays.names, hits, cast, strict=True) if c
    }
    details |= {"train_accuracy": round(math.fsum(train.max(axis=1)) / train_votes, DIGITS)}
    details |= _by_dimension(train, used, arrays)
    accuracy = round(math.fsum(hits) / eval_votes, DIGITS)
    return Score(accuracy, "FactorVAE score", per_factor, details)


class _Groups:
    """The samples that share each value of one factor."""

    def __init__(self, name: str, values: NDArray[np.int64]) -> None:
        _, value_of, counts = np.unique(values, return_inverse=True, return_counts=True)
        order = np.argsort(value_of, kind="stable")
        shared = np.flatnonzero(counts[value_of] > 1)  # one sample has no variance
        if len(shared) == 0:
            raise ValueError(
                f"no two samples share a value of {name!r}, so that it cannot be held fixed: give "
                "more samples or fewer values"
            )
        self.samples = order
        self.starts = (np.cumsum(counts) - counts)[value_of[shared]]
        self.sizes = counts[value_of[shared]]

    def draw(self, n: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``n`` groups of ``size`` samples each, all of one value, with replacement."""
        group = rng.integers(len(self.starts), size=n)
        offset = rng.random((n, size)) * self.sizes[group, None]
        return self.samples[self.starts[group, None] + offset.astype(np.int64)]


def _count_votes(
    codes: NDArray[np.float64],
    groups: Sequence[_Groups],
    n_votes: int,
    size: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """How many votes each dimension got from each factor, (latent_dim, n_factors)."""
    n_factors, n_dimensions = len(groups), codes.shape[1]
    votes = np.zeros((n_dimensions, n_factors))
    for k, n in enumerate(np.bincount(rng.integers(n_factors, size=n_votes), minlength=n_factors)):
        drawn = groups[k].draw(int(n), size, rng)  # (vote, sample), all before any is looked up
        for part in np.array_split(drawn, math.ceil(drawn.size * n_dimensions / CHUNK) or 1):
            votes[:, k] += _vote(codes[part]).sum(axis=0)
    return votes.round(DIGITS)


def _vote(groups: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each group's one vote, for its dimensions of least variance: (vote, latent_dim).

    Ties happen: several dimensions may stay constant when a factor does. To give such a vote to
    the first of them would make the score depend on the order of the dimensions.
    """
    centered = groups - groups[:, :1]  # so that equal codes have a variance of exactly 0
    variance = centered.var(axis=1, ddof=1)
    least = variance.min(axis=1, keepdims=True)
    tied = variance <= least * (1 + TIE) + TIE**2
    return tied / tied.sum(axis=1, keepdims=True)


def _by_dimension(
    votes: NDArray[np.float64], used: NDArray[np.int64], arrays: Arrays
) -> dict[str, object]:
    """The votes of all dimensions, those left out included, and what each stands for."""
    table = np.zeros((arrays.codes.shape[1], votes.shape[1]))
    table[used] = votes
    stands_for = [arrays.names[row.argmax()] if row.any() else None for row in table]
    return {"votes": table.tolist(), "factor_of_dimension": stands_for}
