"""SAP: the separated attribute predictability."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.classifiers import linear_svm
from disvae.metrics.information import two_largest
from disvae.metrics.score import Score


def sap(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    continuous: bool = False,
    train_share: float = 2 / 3,
    regularization: float = 0.01,
    standardize: bool = True,
    names: Sequence[str] | None = None,
) -> Score:
    """SAP: how far the dimension that predicts a factor best leads the second best.

    Each factor is predicted from each dimension alone, by a linear support vector machine, and the
    score of the pair is its accuracy on samples that were not learned from; of continuous factors
    it is the squared correlation. The mean over factors of the gap between the two best.

    A linear classifier cuts a dimension into as many intervals as classes at most, and penalised
    like this cannot tell many: even a perfect code of dSprites' positions is predicted at little
    more than chance. So SAP is small, and comparable only between codes for the same factors. Dead
    dimensions are left out, and the second of one dimension alone is 0.

    Args:
        codes: (n, latent_dim) floats, usually 15,000 posterior means.
        factors: (n, n_factors) integers; the order of their values matters if ``continuous``.
        seed: of the split.
        continuous: squared correlations with the values as numbers instead of classifiers.
        train_share: part of the samples that is learned from.
        regularization: C of the support vector machine.
        standardize: bring dimensions to one standard deviation, so that rescaling them changes
            nothing. disentanglement_lib does not.
        names: one name per factor, for the details.

    Returns:
        The mean gap; ``per_factor``; ``details``: ``predictability`` (n_factors x latent_dim), and
        what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or too few samples to split.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Variational Inference of Disentangled Latent Concepts from Unlabeled Observations, Kumar et
        al. 2018, https://openreview.net/forum?id=H1kG7GZAW, section 3.
    """
    arrays = check_arrays(codes, factors, names)
    arrays.warn_if_dead("SAP", "0")
    if continuous:
        table = _correlation(arrays)
    else:
        z = arrays.standard if standardize else arrays.codes
        table = _accuracy(arrays, z, *arrays.split(train_share, seed), regularization)
    first, second = two_largest(table)
    gap = first - second
    return Score(
        math.fsum(gap) / len(gap),
        "SAP",
        dict(zip(arrays.names, gap.tolist(), strict=True)),
        {**arrays.details(), "predictability": table.tolist()},
    )


def _accuracy(
    arrays: Arrays,
    z: NDArray[np.float64],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    regularization: float,
) -> NDArray[np.float64]:
    table = np.zeros((len(arrays.names), z.shape[1]))
    for k, v in enumerate(arrays.values.T):
        for j in arrays.live:
            x = z[:, j : j + 1]
            machine = linear_svm(x[train], v[train], regularization)
            table[k, j] = (machine.predict(x[test]) == v[test]).mean()
    return table


def _correlation(arrays: Arrays) -> NDArray[np.float64]:
    v = arrays.factors - arrays.factors.mean(axis=0)
    correlation = (v / v.std(axis=0)).T @ arrays.standard / len(arrays)
    squared: NDArray[np.float64] = np.minimum(correlation**2, 1.0)
    return squared
