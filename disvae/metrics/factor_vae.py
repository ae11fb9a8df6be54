"""The FactorVAE score."""

from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.score import Score
from disvae.metrics.votes import SampleGroups, VoteCounts, least, vote


def factor_vae_score(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    samples_per_vote: int = 64,
    train_votes: int = 10_000,
    eval_votes: int = 5_000,
    min_std: float = 0.0,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Score:
    """Accuracy of telling which factor was held fixed from the dimension that varies least.

    A vote: draw a factor, a value of it, and ``samples_per_vote`` samples that have this value;
    divide each dimension by its standard deviation over all samples; the vote is the dimension of
    least variance, and is shared between dimensions that tie for it. Each dimension is then taken
    to stand for the factor most of its training votes came from, and the score is the accuracy of
    this on fresh votes. 1 is best, chance is 1 / n_factors. Permuting, negating and rescaling
    dimensions change nothing.

    The variance of a discrete dimension is Gini's, as in the paper's appendix: half the share of
    pairs of samples that are in different categories, where that of a continuous dimension is half
    their mean squared difference. Renaming categories changes nothing.

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
        discrete: the dimensions whose codes are numbers of categories.

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
        section 4 and appendix B; Variability and mutability, Gini 1912, for the variance of
        categories, which the paper cites as Gini 1971.

    Example:
        >>> v = np.stack(np.meshgrid(range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 2)
        >>> factor_vae_score(v * [2.0, -0.1], v)
        FactorVAE score = 1.0000
    """
    counts = VoteCounts(train_votes, eval_votes, samples_per_vote)
    arrays = check_arrays(codes, factors, names, discrete)
    arrays.need_factors(2, "the FactorVAE score")
    used = np.flatnonzero((arrays.spread > 0) & (arrays.spread >= min_std))
    groups = [
        SampleGroups(v, f"a value of {name!r}")
        for name, v in zip(arrays.names, arrays.factors.T, strict=True)
    ]
    if len(used) == 0:
        arrays.warn("no dimension of the codes varies: the FactorVAE score is chance")
    return vote(arrays, groups, least, counts, used, seed, "FactorVAE score")
