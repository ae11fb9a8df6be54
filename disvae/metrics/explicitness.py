"""Explicitness: can a factor be read off the codes linearly?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from disvae.metrics.arrays import check_arrays
from disvae.metrics.classifiers import logistic_regression
from disvae.metrics.score import Score


def explicitness(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    train_share: float = 2 / 3,
    rescale: bool = True,
    names: Sequence[str] | None = None,
) -> Score:
    """Explicitness: how well a logistic regression on all dimensions ranks the values of a factor.

    For each value of a factor, the area under the ROC curve of its predicted probability against
    all other values, on samples that were not learned from; the mean over the values, then over
    the factors. Rotating the codes changes nothing: it asks whether a factor is there, not where.

    Args:
        codes: (n, latent_dim) floats, usually 15,000 posterior means; standardised here.
        factors: (n, n_factors) integers.
        seed: of the split.
        train_share: part of the samples that is learned from.
        rescale: 2 (area - 1/2), 0 at least, so that chance is 0; disentanglement_lib has the area.
        names: one name per factor, for the details.

    Returns:
        The mean, from 0 to 1; ``per_factor``; ``details``: ``area`` of each factor, and what all
        metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or too few samples to split.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then chance.

    Reference:
        Learning Deep Disentangled Embeddings with the F-Statistic Loss, Ridgeway and Mozer 2018,
        https://arxiv.org/abs/1802.05312, section 2.
    """
    arrays = check_arrays(codes, factors, names)
    train, test = arrays.split(train_share, seed)
    arrays.warn_if_dead("explicitness", "chance")
    z = arrays.standard[:, arrays.live]
    areas = []
    for v in arrays.values.T:
        classifier = logistic_regression(z[train], v[train])
        areas.append(_area(classifier.predict_proba(z[test]), classifier.classes_, v[test]))
    per_factor = [max(0.0, 2 * area - 1) if rescale else area for area in areas]
    return Score(
        math.fsum(per_factor) / len(per_factor),
        "explicitness",
        dict(zip(arrays.names, per_factor, strict=True)),
        {**arrays.details(), "area": areas},
    )


def _area(
    probability: NDArray[np.float64], classes: NDArray[np.int64], truth: NDArray[np.int64]
) -> float:
    """The mean area under the ROC curves of the classes that are tested against others."""
    areas = []
    for column, c in zip(probability.T, classes, strict=True):
        here = truth == c
        n, others = int(here.sum()), int((~here).sum())
        if n and others:  # the Mann-Whitney statistic
            rank = rankdata(column)[here].sum()
            areas.append((rank - n * (n + 1) / 2) / (n * others))
    return math.fsum(areas) / len(areas) if areas else 0.5
