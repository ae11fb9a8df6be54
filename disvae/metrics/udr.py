"""UDR: the unsupervised disentanglement ranking."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.linear_model import Lasso

from disvae.metrics.arrays import check_codes
from disvae.metrics.score import Score

Floats = NDArray[np.float64]


def udr(
    codes: Sequence[object],
    kl: Sequence[object] | None = None,
    *,
    seed: int = 0,
    method: Literal["lasso", "spearman"] = "lasso",
    min_kl: float = 0.01,
    penalty: float = 0.1,
) -> list[Score]:
    """How alike the codes of several models are up to order and sign: a score for each model.

    Models that disentangle learn the same factors; those that do not are entangled each in its own
    way. For two models a matrix says how far each informative dimension of one is that of the
    other: the absolute weights of a lasso regression, or rank correlations. The score of the pair
    is the mean of max² / Σ over its rows and over its columns: 1 if each dimension has one like it
    and no other. A model's score is the median over the others. No labels are needed, but several
    models that were trained alike, on other seeds: it ranks settings.

    Args:
        codes: the posterior means of the same samples, (n, latent_dim), of each model.
        kl: the mean KL to the prior of each dimension in nats, (latent_dim,), of each model; if
            None all dimensions that vary are taken as informative, which is right only for models
            that leave none unused.
        seed: unused, since nothing is drawn; all metrics take one.
        method: of the matrix.
        min_kl: dimensions with a smaller KL are not informative.
        penalty: of the lasso regression.

    Returns:
        A score for each model, from 0 to 1; ``details``: ``pairs`` (the score with each other
        model, None with itself), ``informative`` (its dimensions), and what all metrics say of the
        codes. A model without an informative dimension has 0.

    Raises:
        ValueError: fewer than 2 models; codes of different lengths; KLs of another shape; an
            unknown method; or see :func:`disvae.metrics.arrays.check_codes`.

    Reference:
        Unsupervised Model Selection for Variational Disentangled Representation Learning, Duan et
        al. 2020, https://arxiv.org/abs/1905.12614.
    """
    if len(codes) < 2:
        raise ValueError(f"UDR compares models: expected the codes of 2 at least, got {len(codes)}")
    if method not in ("lasso", "spearman"):
        raise ValueError(f"method must be 'lasso' or 'spearman', got {method!r}")
    models = [check_codes(z) for z in codes]
    if len({len(model) for model in models}) > 1:
        raise ValueError(
            f"expected codes of the same samples, got {[len(model) for model in models]} of them"
        )
    informative = [model.live for model in models]
    if kl is not None:
        informative = [
            np.intersect1d(live, np.flatnonzero(_kl(k, model.codes.shape[1]) > min_kl))
            for live, k, model in zip(informative, kl, models, strict=True)
        ]
    standard = [model.standard[:, used] for model, used in zip(models, informative, strict=True)]
    n = len(models)
    pairs = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(n):
            if i != j:
                pairs[i, j] = _alike(standard[i], standard[j], method, penalty)
    scores = []
    for i, (model, used) in enumerate(zip(models, informative, strict=True)):
        row = [None if math.isnan(value) else float(value) for value in pairs[:, i]]
        value = float(np.median([pair for pair in row if pair is not None]))
        details = {**model.details(), "pairs": row, "informative": used.tolist()}
        scores.append(Score(value, "UDR", details=details))
    return scores


def _kl(kl: object, latent_dim: int) -> Floats:
    values = np.asarray(kl, dtype=np.float64)
    if values.shape != (latent_dim,) or not np.isfinite(values).all():
        raise ValueError(f"expected the KL of {latent_dim} dimensions, got shape {values.shape}")
    return values


def _alike(first: Floats, second: Floats, method: str, penalty: float) -> float:
    """The score of two models by their informative dimensions."""
    if first.shape[1] == 0 or second.shape[1] == 0:
        return 0.0
    if method == "lasso":
        weights = Lasso(alpha=penalty).fit(first, second).coef_
        table = np.abs(np.atleast_2d(weights)).T.reshape(first.shape[1], second.shape[1])
    else:
        a, b = (_standard_ranks(z) for z in (first, second))
        table = np.abs(a.T @ b) / len(a)
    return (_strength(table) + _strength(table.T)) / 2


def _standard_ranks(z: Floats) -> Floats:
    ranks = rankdata(z, axis=0)
    centered: Floats = ranks - ranks.mean(axis=0)
    return centered / centered.std(axis=0)


def _strength(table: Floats) -> float:
    """The mean over rows of max² / Σ; 0 for a row of zeros."""
    total = table.sum(axis=1)
    strength = table.max(axis=1) ** 2 / np.where(total > 0, total, 1.0)
    return float(strength.mean())
