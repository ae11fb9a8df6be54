"""MIG-sup: the information gap of each dimension."""

from collections.abc import Sequence

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information, mean_over_codes, two_largest
from disvae.metrics.score import Score


def mig_sup(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    count_dead: bool = False,
    names: Sequence[str] | None = None,
) -> Score:
    """MIG-sup: how far the factor that a dimension knows most of leads the second.

    The mean over dimensions j of the gap between the two largest of I(z_j; v_k) / H(v_k). It asks
    of dimensions what the MIG asks of factors: a dimension that mixes two factors lowers it, a
    factor that is in two dimensions does not.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        count_dead: let dimensions that do not vary count as 0, instead of not at all.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_code``; ``details`` as in :func:`disvae.metrics.mig`.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins; or
            a single factor, which has no rival.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Progressive Learning and Disentanglement of Hierarchical Representations, Li et al. 2020,
        https://arxiv.org/abs/2002.10549.
    """
    arrays = check_arrays(codes, factors, names)
    arrays.need_factors(2, "MIG-sup")
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("MIG-sup", "0")
    first, second = two_largest((information.table / information.factor_entropy[:, None]).T)
    return mean_over_codes(first - second, "MIG-sup", arrays, count_dead, information.details())
