"""The mutual information gap, by histograms of the codes."""

import math
from collections.abc import Sequence

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.information import Information, histogram_information, two_largest
from disvae.metrics.score import Score


def mig(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """The mutual information gap: how far the best dimension of each factor leads the second best.

    The mean over factors k of (I(z_j1; v_k) - I(z_j2; v_k)) / H(v_k), where j1 and j2 are the two
    dimensions of most information about v_k (the second is 0 if there is one dimension alone). The
    information is that of a histogram of the codes, equal bins between each dimension's extremes:
    the estimator of disentanglement_lib, on posterior means. The Monte Carlo estimate over
    posteriors of the paper is another one, and the two are not comparable: see
    :func:`disvae.metrics.posterior_mig`.

    Bins are laid out symmetrically about each dimension's middle, which has a bin of its own if
    their number is even. So permuting, negating and rescaling dimensions change nothing.

    Args:
        codes: (n, latent_dim) floats, usually 10,000 posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: per dimension. If None: 20, the usual number, or as many as a factor has values if
            those are more, since 20 bins cannot tell dSprites' 40 orientations apart and a perfect
            code would not score 1. Use ``bins=20`` to compare with disentanglement_lib.
        names: one name per factor, for the details.

    Returns:
        The mean gap, from 0 to 1; ``per_factor``: the gap of each factor; ``details``:
        ``mutual_information`` (n_factors x latent_dim, nats), ``entropy`` of each factor (nats),
        ``best_dimension`` of each factor, ``bins``, ``dead_dimensions``, ``code_std``,
        ``nearly_constant``.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins.

    Warns:
        DegenerateCodesWarning: no dimension varies; the gap is then 0.

    Reference:
        Isolating Sources of Disentanglement in VAEs, Chen et al. 2018,
        https://arxiv.org/abs/1802.04942, section 4.1; Challenging Common Assumptions in the
        Unsupervised Learning of Disentangled Representations, Locatello et al. 2019,
        https://arxiv.org/abs/1811.12359, for the histogram.

    Example:
        >>> import numpy as np
        >>> v = np.stack(np.meshgrid(range(4), range(5), indexing="ij"), axis=-1).reshape(-1, 2)
        >>> mig(v * [2.0, -0.1], v)
        MIG = 1.0000
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("MIG", "0")
    return information_gap(arrays, information, "MIG")


def information_gap(arrays: Arrays, information: Information, name: str) -> Score:
    """The gap of each factor, normalised by its entropy, and their mean."""
    first, second = two_largest(information.table)
    gap = (first - second) / information.factor_entropy
    return Score(
        math.fsum(gap) / len(gap),
        name,
        dict(zip(arrays.names, gap.tolist(), strict=True)),
        {**arrays.details(), **information.details()},
    )
