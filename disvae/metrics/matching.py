"""How well a discrete dimension and a factor match, whatever their values are called."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from disvae.metrics.arrays import check_arrays
from disvae.metrics.score import Score


def matching_accuracy(
    codes: object,
    factors: object,
    *,
    dimension: int,
    factor: int | str,
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> Score:
    r"""Accuracy of the categories of one dimension as a classifier of one factor.

    .. math:: \max_\pi \frac{1}{n} \sum_i [v_i = \pi(z_i)]

    over all ways π of giving each category a value of its own (the Hungarian method on the
    confusion table): a category that stands for no value, or for one that another stands for
    better, counts as wrong. That is the usual accuracy of clusterings. Renaming categories or
    values changes nothing.

    Args:
        codes: (n, latent_dim) floats, numbers of categories in ``dimension``.
        factors: (n, n_factors) integers.
        dimension: which dimension.
        factor: which factor, by its place or its name.
        seed: unused, since nothing is drawn; all metrics take one.
        names: one name per factor.

    Returns:
        The accuracy, at least 1 / n_values where there are as many categories; ``details``:
        ``matching`` (the value that each category stands for, None for none), ``confusion``
        (categories x values, counts), ``categories`` and ``values``, and what all metrics say of
        the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; or a dimension or a factor that
            is not there.

    Reference:
        The Hungarian Method for the Assignment Problem, Kuhn 1955,
        https://doi.org/10.1002/nav.3800020109

    Example:
        >>> z, v = [[2], [2], [0], [0], [1], [1]], [[0], [0], [1], [1], [2], [1]]
        >>> matching_accuracy(z, v, dimension=0, factor=0)
        matching accuracy = 0.8333
    """
    arrays = check_arrays(codes, factors, names, discrete=[dimension])
    k = _place(factor, arrays.names)
    categories, row = np.unique(arrays.codes[:, dimension].astype(np.int64), return_inverse=True)
    values, column = np.unique(arrays.factors[:, k], return_inverse=True)
    confusion = np.zeros((len(categories), len(values)), dtype=np.int64)
    np.add.at(confusion, (row, column), 1)
    rows, columns = linear_sum_assignment(confusion, maximize=True)
    stands_for = dict(zip(rows.tolist(), values[columns].tolist(), strict=True))
    accuracy = float(confusion[rows, columns].sum()) / len(arrays)
    details = {
        **arrays.details(),
        "confusion": confusion.tolist(),
        "categories": categories.tolist(),
        "values": values.tolist(),
        "matching": [stands_for.get(i) for i in range(len(categories))],
    }
    return Score(accuracy, "matching accuracy", {arrays.names[k]: accuracy}, details)


def _place(factor: int | str, names: Sequence[str]) -> int:
    if isinstance(factor, str):
        if factor not in names:
            raise ValueError(f"no factor {factor!r}; the factors are {', '.join(names)}")
        return list(names).index(factor)
    if not 0 <= factor < len(names):
        raise ValueError(f"expected a factor from 0 to {len(names) - 1}, got {factor}")
    return factor
