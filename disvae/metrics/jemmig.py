"""JEMMIG: the joint entropy minus the mutual information gap."""

import math
from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information, two_largest
from disvae.metrics.score import Score

TIE = 1e-9


def jemmig(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """JEMMIG: the information gap, and that the best dimension has nothing else to say.

    The mean over factors k of

        1 - (H(v_k, z_j1) - I(z_j1; v_k) + I(z_j2; v_k)) / (H(v_k) + ln bins)

    with the two dimensions of most information. The joint entropy falls by what the dimension
    tells of other things, which the MIG does not see. Normalised and turned round as in Zaidi et
    al. 2020, so that 1 is best; in the paper it is a number of nats, of which 0 is best, here
    ``details["nats"]``.

    1 needs a dimension with a value for each value of the factor and no more: noise within a
    value costs, if it is wider than a bin. Never below 0. A factor that no dimension knows of
    counts as 0: by the formula a constant code, which has no entropy to waste, would have 0.7.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_factor``; ``details`` as in :func:`disvae.metrics.mig`, and
        ``nats`` of each factor.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Theory and Evaluation Metrics for Learning Disentangled Representations, Do and Tran 2020,
        https://arxiv.org/abs/1908.09961; Measuring Disentanglement: A Review of Metrics, Zaidi et
        al. 2020, https://arxiv.org/abs/2012.09276, for the normalisation.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("JEMMIG", "0")
    table, entropy = information.table, information.factor_entropy
    first, second = two_largest(table)
    # Of dimensions that tie for the best, the one of least entropy: their order must not matter.
    tied = table >= first[:, None] * (1 - TIE)
    own = np.where(tied, information.code_entropy, np.inf).min(axis=1)
    nats = entropy + own - 2 * first + second
    value = np.maximum(0.0, 1 - nats / (entropy + math.log(information.bins or 1)))
    value = np.where(first > 0, value, 0.0)
    return Score(
        math.fsum(value) / len(value),
        "JEMMIG",
        dict(zip(arrays.names, value.tolist(), strict=True)),
        {**arrays.details(), **information.details(), "nats": nats.tolist()},
    )
