"""InfoMEC: InfoM, InfoE and InfoC, by information of nearest neighbours."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import log_loss

from disvae.metrics.arrays import Arrays, CannotComputeError, check_arrays
from disvae.metrics.classifiers import logistic_regression, quiet
from disvae.metrics.information import mutual_information
from disvae.metrics.score import Score


def infom(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    neighbors: int = 10,
    min_range: float = 1 / 20,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Score:
    """InfoM: the share of the best factor in what a dimension knows of all of them.

    With NMI_kj = I(v_k; z_j) / H(v_k), the mean over the dimensions in use of
    max_k NMI_kj / Σ_k NMI_kj, rescaled so that 1 / n_factors is 0.

    The information is estimated from distances between nearest neighbours: no bins, but noise of
    its own. A dimension is in use if its range is a part of the widest one's: so it depends on the
    units of dimensions, which posterior means share. The information of a discrete dimension is
    counted, and it is in use if it varies at all.

    Args:
        codes: (n, latent_dim) floats, usually 10,000 posterior means.
        factors: (n, n_factors) integers.
        seed: of the tiny noise that tells equal codes apart.
        neighbors: of the estimate.
        min_range: the range of a dimension in use, as a part of the widest range; 1/20 in QLAE's
            published code. 0 keeps all that vary.
        names: one name per factor, for the details.
        discrete: the dimensions whose codes are numbers of categories.

    Returns:
        The score, from 0 to 1; ``per_code``; ``details``: ``normalized_information`` (n_factors x
        latent_dim), ``dimensions_in_use``, and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; a single factor; or no more
            samples than neighbours.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Disentanglement via Latent Quantization, Hsu et al. 2023, https://arxiv.org/abs/2305.18378.
    """
    arrays = check_arrays(codes, factors, names, discrete)
    arrays.need_factors(2, "InfoM")
    arrays.warn_if_dead("InfoM", "0")
    table, used = _normalized_information(arrays, neighbors, min_range, seed)
    share = _leading_share(table[:, used].T)
    per_code = dict(zip(used.tolist(), share.tolist(), strict=True))
    value = math.fsum(share) / len(share) if len(share) else 0.0
    return Score(value, "InfoM", details=_details(arrays, table, used), per_code=per_code)


def infoc(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    neighbors: int = 10,
    min_range: float = 1 / 20,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Score:
    """InfoC: the share of the best dimension in what all of them know of a factor.

    The mean over factors of max_j NMI_kj / Σ_j NMI_kj over the dimensions in use, rescaled so that
    1 / (their number) is 0; see :func:`infom`, whose arguments, errors and details it has. One
    dimension in use is complete for all that it knows.

    Returns:
        The score, from 0 to 1; ``per_factor``.
    """
    arrays = check_arrays(codes, factors, names, discrete)
    arrays.warn_if_dead("InfoC", "0")
    table, used = _normalized_information(arrays, neighbors, min_range, seed)
    share = _leading_share(table[:, used])
    value = math.fsum(share) / len(share)
    per_factor = dict(zip(arrays.names, share.tolist(), strict=True))
    return Score(value, "InfoC", per_factor, _details(arrays, table, used))


def infoe(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
) -> Score:
    """InfoE: the part of a factor's entropy that a logistic regression on the codes takes away.

    The mean over factors of 1 - (cross-entropy of the regression) / (cross-entropy of guessing),
    with balanced classes, without a penalty, on the very samples that were learned from, as its
    authors have it: with few samples and many dimensions it is too high.

    Args:
        codes: (n, latent_dim) floats, usually 10,000 posterior means; standardised here, but for
            discrete dimensions, which are one-hot here.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        names: one name per factor, for the details.
        discrete: the dimensions whose codes are numbers of categories.

    Returns:
        The score, from 0 to 1; ``per_factor``; ``details``: what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Disentanglement via Latent Quantization, Hsu et al. 2023, https://arxiv.org/abs/2305.18378.
    """
    arrays = check_arrays(codes, factors, names, discrete)
    arrays.warn_if_dead("InfoE", "0")
    z = _predictors(arrays)
    share = []
    for v, size in zip(arrays.values.T, arrays.sizes, strict=True):
        if z.shape[1] == 0:
            share.append(0.0)
            continue
        classifier = logistic_regression(
            z, v, C=np.inf, class_weight="balanced", max_iter=100, tol=1e-4
        )
        loss = log_loss(v, classifier.predict_proba(z), labels=classifier.classes_)
        # Guessing with balanced classes: all of them are equally probable.
        share.append(max(0.0, 1 - loss / math.log(size)))
    per_factor = dict(zip(arrays.names, share, strict=True))
    return Score(math.fsum(share) / len(share), "InfoE", per_factor, arrays.details())


def _normalized_information(
    arrays: Arrays, neighbors: int, min_range: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """I(v_k; z_j) / H(v_k), (n_factors, latent_dim), and which dimensions are in use."""
    if not 1 <= neighbors < len(arrays):
        raise CannotComputeError(
            f"neighbors must be from 1 to {len(arrays) - 1}, one less than samples, got {neighbors}"
        )
    discrete = list(arrays.discrete)
    key = ("neighbors", neighbors, seed)
    if key not in arrays.shared:
        table = np.zeros((len(arrays.names), arrays.codes.shape[1]))
        continuous = np.setdiff1d(arrays.live, arrays.discrete)
        z = arrays.standard[:, continuous]
        categories = {j: np.unique(arrays.codes[:, j], return_inverse=True)[1] for j in discrete}
        for k, v in enumerate(arrays.values.T):
            if len(continuous):
                with quiet():
                    table[k, continuous] = mutual_info_classif(
                        z, v, discrete_features=False, n_neighbors=neighbors, random_state=seed
                    )
            for j, category in categories.items():
                table[k, j] = mutual_information(v, category)
            table[k] /= mutual_information(v, v)
        arrays.shared[key] = table
    span = np.ptp(arrays.codes, axis=0) * (arrays.std > 0)
    widest = np.delete(span, discrete).max(initial=0.0)
    used = np.flatnonzero((span > 0) & ((span > min_range * widest) | _is_among(discrete, span)))
    found: NDArray[np.float64] = arrays.shared[key]
    return found, used


def _is_among(discrete: Sequence[int], like: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isin(np.arange(len(like)), discrete)


def _predictors(arrays: Arrays) -> NDArray[np.float64]:
    """What a regression takes: standardised codes, and one-hot ones of discrete dimensions."""
    continuous = np.setdiff1d(arrays.live, arrays.discrete)
    discrete = np.intersect1d(arrays.live, arrays.discrete)
    indicators = [arrays.columns(j) > 0 for j in discrete.tolist()]
    return np.concatenate([arrays.standard[:, continuous], *indicators], axis=1).astype(np.float64)


def _leading_share(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest part of each row's sum, rescaled from 1/n..1 to 0..1; 0 where there is none."""
    n, total = rows.shape[1], rows.sum(axis=1)
    if n < 2:
        return (total > 0) * 1.0
    share = rows.max(axis=1) / np.where(total > 0, total, 1.0)
    scaled: NDArray[np.float64] = np.where(total > 0, (share - 1 / n) / (1 - 1 / n), 0.0)
    return scaled


def _details(
    arrays: Arrays, table: NDArray[np.float64], used: NDArray[np.int64]
) -> dict[str, object]:
    return {
        **arrays.details(),
        "normalized_information": table.tolist(),
        "dimensions_in_use": used.tolist(),
    }
