"""XMIG: the information gap to the dimensions of no factor."""

import math
from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.dmig import own_dimensions
from disvae.metrics.information import histogram_information
from disvae.metrics.score import Score


def xmig(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    bins: int | None = None,
    dimensions: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
) -> Score:
    """XMIG: how far the own dimension of a factor leads those that are no factor's own.

    The mean over factors of (I(z_j; v_k) - I(z_m; v_k)) / H(v_k) for the factor's own dimension j
    and the best m of those that are no factor's; 0 if there is none. Where factors depend on one
    another their dimensions must share information: XMIG counts only what leaks to the others.

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
        ``dimensions``.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or fewer than 2 bins; or
            dimensions that are not one per factor.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then 0.

    Reference:
        Controllable Music: Supervised Learning of Disentangled Representations for Music
        Generation, Watcharasupat 2021; Watcharasupat and Lerch 2021,
        https://arxiv.org/abs/2110.05587.
    """
    arrays = check_arrays(codes, factors, names)
    information = histogram_information(arrays, bins)
    arrays.warn_if_dead("XMIG", "0")
    own = own_dimensions(information, dimensions)
    table = information.table
    free = np.setdiff1d(np.arange(table.shape[1]), own)
    leaked = table[:, free].max(axis=1) if len(free) else np.zeros(len(table))
    gap = (table[np.arange(len(table)), own] - leaked) / information.factor_entropy
    return Score(
        math.fsum(gap) / len(gap),
        "XMIG",
        dict(zip(arrays.names, gap.tolist(), strict=True)),
        {**arrays.details(), **information.details(), "dimensions": own.tolist()},
    )
