"""The β-VAE score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import check_arrays
from disvae.metrics.classifiers import logistic_regression
from disvae.metrics.score import Score
from disvae.metrics.votes import SampleGroups


def beta_vae_score(
    codes: object,
    factors: object = None,
    *,
    seed: int = 0,
    pairs: int = 64,
    train_points: int = 10_000,
    eval_points: int = 5_000,
    standardize: bool = True,
    names: Sequence[str] | None = None,
) -> Score:
    """Accuracy of telling which factor pairs of samples share from how their codes differ.

    A point: draw a factor, and ``pairs`` pairs of samples with the same value of it; the mean over
    the pairs of the absolute difference of their codes. A linear classifier learns from such points
    which factor it was. 1 is best, chance is 1 / n_factors. It is the most lenient of all metrics:
    a rotated code, and one with two factors in a dimension, may have 1.

    Args:
        codes: (n, latent_dim) floats, usually posterior means.
        factors: (n, n_factors) integers; not every combination need occur.
        seed: of the points.
        pairs: L; 64 in disentanglement_lib, 200 in the paper.
        train_points: points that the classifier learns from.
        eval_points: points that are scored.
        standardize: measure each dimension in units of its standard deviation, so that rescaling
            dimensions changes nothing. disentanglement_lib does not.
        names: one name per factor, for the details.

    Returns:
        The accuracy; ``per_factor``: that of each factor's points; ``details``:
        ``train_accuracy``, ``chance``, ``smallest_group``, and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; a single factor; numbers below
            1; or a factor no two samples share a value of.

    Warns:
        DegenerateCodesWarning: no dimension varies; the score is then chance.

    Reference:
        β-VAE, Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl, section 3.
    """
    if min(pairs, train_points, eval_points) < 1:
        raise ValueError(
            "expected pairs, train_points and eval_points of 1 at least, got "
            f"{pairs}, {train_points} and {eval_points}"
        )
    arrays = check_arrays(codes, factors, names)
    arrays.need_factors(2, "the β-VAE score")
    arrays.warn_if_dead("β-VAE score", "chance")
    groups = [
        SampleGroups(v, f"a value of {name!r}")
        for name, v in zip(arrays.names, arrays.factors.T, strict=True)
    ]
    scale = arrays.std if standardize else np.ones_like(arrays.std)
    z = arrays.codes[:, arrays.live] / scale[arrays.live]
    rng = np.random.default_rng(seed)
    x, y = _points(z, groups, train_points, pairs, rng)
    test_x, test_y = _points(z, groups, eval_points, pairs, rng)
    classifier = logistic_regression(x, y)
    right = classifier.predict(test_x) == test_y
    per_factor = {
        name: float(right[test_y == k].mean())
        for k, name in enumerate(arrays.names)
        if (test_y == k).any()
    }
    details = {
        **arrays.details(),
        "chance": 1 / len(groups),
        "train_accuracy": float((classifier.predict(x) == y).mean()),
        "smallest_group": min(int(group.sizes.min()) for group in groups),
    }
    return Score(float(right.mean()), "β-VAE score", per_factor, details)


def _points(
    codes: NDArray[np.float64],
    groups: Sequence[SampleGroups],
    n: int,
    pairs: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean absolute differences, (n, latent_dim), and which factor was shared, (n,)."""
    factor = np.sort(rng.integers(len(groups), size=n))
    points = np.zeros((n, codes.shape[1]))
    for k, group in enumerate(groups):
        rows = np.flatnonzero(factor == k)
        drawn = group.draw(len(rows) * pairs, 2, rng).reshape(len(rows), pairs, 2)
        for part in np.array_split(np.arange(len(rows)), len(rows) // 1024 + 1):
            first, second = codes[drawn[part, :, 0]], codes[drawn[part, :, 1]]
            points[rows[part]] = np.abs(first - second).mean(axis=1)
    return points, factor
