"""The Z-max-variance score."""

from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.score import Score
from disvae.metrics.votes import SampleGroups, VoteCounts, greatest, vote


def z_max_variance(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    samples_per_vote: int = 200,
    train_votes: int = 800,
    eval_votes: int = 800,
    min_std: float = 0.0,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Score:
    """Accuracy of telling which factor alone varied from the dimension that varies most.

    The FactorVAE score turned round: a vote draws samples that share all factors but one, and is
    the dimension of greatest variance, in units of its standard deviation over all samples. Such
    samples are rare in a random part of a large grid: give it the codes of the whole grid, or of
    factors with fewer values; ``details["smallest_group"]`` says how few there were.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: of the votes.
        samples_per_vote: drawn with replacement.
        train_votes: votes that decide which factor a dimension stands for.
        eval_votes: votes that are scored.
        min_std: dimensions with a smaller standard deviation are left out.
        names: one name per factor, for the details.
        discrete: the dimensions whose codes are numbers of categories.

    Returns:
        The accuracy, chance being 1 / n_factors; ``per_factor`` and ``details`` as in
        :func:`disvae.metrics.factor_vae_score`.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; a single factor; numbers below
            1; or no two samples share all factors but one.

    Warns:
        DegenerateCodesWarning: no dimension is left; the score is then chance.

    Reference:
        Relevance Factor VAE, Kim et al. 2019, https://arxiv.org/abs/1902.01568; the numbers are
        those of Measuring Disentanglement: A Review of Metrics, Zaidi et al. 2020,
        https://arxiv.org/abs/2012.09276, who rescale the accuracy so that chance is 0.
    """
    counts = VoteCounts(train_votes, eval_votes, samples_per_vote)
    arrays = check_arrays(codes, factors, names, discrete)
    arrays.need_factors(2, "the Z-max-variance score")
    used = np.flatnonzero((arrays.spread > 0) & (arrays.spread >= min_std))
    groups = []
    for k, name in enumerate(arrays.names):
        others = np.delete(arrays.values, k, axis=1)
        keys = np.unique(others, axis=0, return_inverse=True)[1].ravel()
        groups.append(SampleGroups(keys, f"the values of all factors but {name!r}"))
    if len(used) == 0:
        arrays.warn("no dimension of the codes varies: the Z-max-variance score is chance")
    return vote(arrays, groups, greatest, counts, used, seed, "Z-max-variance score")
