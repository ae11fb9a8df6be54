"""IRS: the interventional robustness score."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.score import Score


def irs(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    quantile: float = 1.0,
    weighted: bool = False,
    names: Sequence[str] | None = None,
) -> Score:
    """IRS: how little a dimension moves while the factor that it stands for is held fixed.

    Among the samples with one value of a factor, the largest deviation of a dimension from its mean
    there; averaged over the values, and divided by the largest deviation from its mean over all
    samples. One minus that, 0 at least, for the factor where it is greatest, is the dimension's
    robustness; the score is the mean over the dimensions that vary.

    Args:
        codes: (n, latent_dim) floats, usually 10,000 posterior means.
        factors: (n, n_factors) integers, not dependent on one another.
        seed: unused, since nothing is drawn; all metrics take one.
        quantile: of the deviations within a value, instead of the largest: a few outliers make the
            largest worthless, but below 1 codes that know nothing of the factors have a score, the
            greater the heavier their tails. disentanglement_lib has 0.99, the paper 1.
        weighted: weigh dimensions by their largest deviation, as the paper and disentanglement_lib
            do; the score then depends on the unit of each dimension.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_code``; ``details``: ``robustness`` (latent_dim x n_factors),
        ``parent`` (the factor of each dimension), and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or a quantile outside (0, 1].

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Robustly Disentangled Causal Mechanisms, Suter et al. 2019,
        https://arxiv.org/abs/1811.00007.
    """
    if not 0 < quantile <= 1:
        raise ValueError(f"quantile must be above 0 and at most 1, got {quantile}")
    arrays = check_arrays(codes, factors, names)
    arrays.warn_if_dead("IRS", "0")
    widest = np.abs(arrays.codes - arrays.codes.mean(axis=0)).max(axis=0)
    deviation = _deviation(arrays, quantile) / np.where(arrays.std > 0, widest, np.inf)[:, None]
    robustness = np.maximum(0.0, 1 - deviation)
    per_code = {int(j): float(robustness[j].max()) for j in arrays.live}
    weights = [float(widest[j]) if weighted else 1.0 for j in arrays.live]
    total = math.fsum(w * r for w, r in zip(weights, per_code.values(), strict=True))
    details = {
        **arrays.details(),
        "robustness": robustness.tolist(),
        "parent": [arrays.names[row.argmax()] for row in robustness],
    }
    value = total / math.fsum(weights) if weights else 0.0
    return Score(value, "IRS", details=details, per_code=per_code)


def _deviation(arrays: Arrays, quantile: float) -> NDArray[np.float64]:
    """The mean over the values of a factor of the deviation within it, (latent_dim, n_factors)."""
    deviation = np.zeros((arrays.codes.shape[1], len(arrays.names)))
    for k, (v, size) in enumerate(zip(arrays.values.T, arrays.sizes, strict=True)):
        order = np.argsort(v, kind="stable")
        for group in np.split(arrays.codes[order], np.cumsum(np.bincount(v))[:-1]):
            apart = np.abs(group - group.mean(axis=0))
            deviation[:, k] += np.quantile(apart, quantile, axis=0) / size
    return deviation
