"""DMIG: the mutual information gap where factors depend on one another."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, CannotComputeError, check_arrays
from disvae.metrics.information import Information, histogram_information, mutual_information
from disvae.metrics.score import Score

TINY = 1e-6  # part of its entropy below which a factor is a function of another


def dmig(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    dimensions: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """DMIG: the information gap, measured by what a factor has apart from its rival.

    Where factors depend on one another, even a perfect code has a gap below H(v_k): the dimension
    of another factor v_l knows of v_k too. The mean over factors of

        (I(z_j; v_k) - I(z_m; v_k)) / H(v_k | v_l)

    for the factor's own dimension j, the best other one m, and the factor v_l whose own dimension
    m is; H(v_k) if it is no factor's. With independent factors it is the MIG. A perfect code has
    1; it may exceed 1 where the rival knows its own factor badly. A factor that is a function of
    v_l has nothing apart from it, and is left out.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of the histogram of each dimension, as in :func:`disvae.metrics.mig`.
        dimensions: the dimension of each factor, where it is known by design; the one that knows
            most of it if None.
        names: one name per factor, for the details.

    Returns:
        The mean; ``per_factor``; ``details`` as in :func:`disvae.metrics.mig`, with
        ``dimensions`` and ``undefined``, the factors left out.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins;
            dimensions that are not one per factor; or every factor is a function of another.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Evaluation of Latent Space Disentanglement in the Presence of Interdependent Attributes,
        Watcharasupat and Lerch 2021, https://arxiv.org/abs/2110.05587.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("DMIG", "0")
    own = own_dimensions(information, dimensions)
    gaps: dict[str, float] = {}
    for k, row in enumerate(information.table):
        others = np.delete(np.arange(len(row)), own[k])
        rival = int(others[row[others].argmax()]) if len(others) else None
        apart = _apart(k, rival, own, arrays, information)
        if apart > TINY * information.factor_entropy[k]:
            gaps[arrays.names[k]] = (row[own[k]] - (0.0 if rival is None else row[rival])) / apart
    undefined = [name for name in arrays.names if name not in gaps]
    if not gaps:
        raise CannotComputeError("every factor is a function of another one: DMIG is undefined")
    details = {**arrays.details(), **information.details(), "undefined": undefined}
    return Score(
        math.fsum(gaps.values()) / len(gaps),
        "DMIG",
        gaps,
        details | {"dimensions": own.tolist()},
    )


def own_dimensions(information: Information, dimensions: Sequence[int] | None) -> NDArray[np.int64]:
    """The dimension of each factor: the given ones, or those of most information."""
    n_factors, latent_dim = information.table.shape
    if dimensions is None:
        return information.table.argmax(axis=1)
    own = np.asarray(dimensions)
    if own.shape != (n_factors,) or own.min() < 0 or own.max() >= latent_dim:
        raise ValueError(
            f"expected the dimension, 0 to {latent_dim - 1}, of each of {n_factors} factors, got "
            f"{list(dimensions)}"
        )
    return own


def _apart(
    k: int,
    rival: int | None,
    own: NDArray[np.int64],
    arrays: Arrays,
    information: Information,
) -> float:
    """H(v_k | v_l) for the factor that the rival dimension is the own one of; H(v_k) if none."""
    entropy = float(information.factor_entropy[k])
    of_rival = [] if rival is None else [m for m in np.flatnonzero(own == rival) if m != k]
    if not of_rival:
        return entropy
    v = arrays.values
    column = max(of_rival, key=lambda m: information.table[m, rival])
    return entropy - mutual_information(v[:, k], v[:, column])
