"""The standard error of a metric: how much it would differ on other samples."""

import warnings
from collections.abc import Callable, Sequence
from statistics import stdev
from typing import Any

import numpy as np

from disvae.metrics.arrays import (
    Arrays,
    CannotComputeError,
    DegenerateCodesWarning,
    check_arrays,
)
from disvae.metrics.score import Score

Measure = Callable[[Arrays, int], Score]


def with_error(
    metric: Callable[..., Score],
    codes: object,
    factors: object,
    *,
    repeats: int = 20,
    seed: int = 0,
    names: Sequence[str] | None = None,
    **settings: Any,
) -> Score:
    """A metric with its standard error, by the metric's values on random halves of the samples.

    For a number that is smooth in the samples the standard deviation over halves drawn without
    replacement is the standard error over all of them (the delete-half jackknife). A bootstrap,
    which draws samples twice, would show histograms and nearest neighbours information that is not
    there. Each half has a seed of its own, so that the error includes that of votes and splits. It
    does not include that between trained models, which is mostly much larger: train several.

    Args:
        metric: ``f(codes, factors, *, seed, names, **settings) -> Score``.
        codes: (n, latent_dim) floats.
        factors: (n, n_factors) integers.
        repeats: halves; the error is then known to about 1 part in sqrt(2 * repeats).
        seed: of the metric on all samples and of the halves.
        names: one name per factor, for the details.
        settings: of the metric.

    Returns:
        The score of all samples, with ``standard_error`` and :meth:`Score.interval`; its ``parts``
        too. ``details["error_of_factor"]`` has those of ``per_factor``.

    Raises:
        ValueError: fewer than 2 repeats; what the metric raises; or halves on which it is not
            defined.

    Reference:
        A General Theory for Jackknife Variance Estimation, Shao and Wu 1989,
        https://doi.org/10.1214/aos/1176347263.

    Example:
        >>> from disvae.metrics import mig
        >>> rng = np.random.default_rng(0)
        >>> v = rng.integers(4, size=(1000, 2))
        >>> with_error(mig, v + rng.normal(size=v.shape), v)
        MIG = 0.2882 ± 0.0157
    """
    if repeats < 2:
        raise ValueError(f"a standard error needs 2 repeats at least, got {repeats}")
    arrays = check_arrays(codes, factors, names)

    def measure(some: Arrays, seed: int) -> Score:
        return metric(some.codes, some.factors, seed=seed, names=some.names, **settings)

    return standard_errors(measure(arrays, seed), measure, arrays, repeats, seed)


def standard_errors(
    score: Score, measure: Measure, arrays: Arrays, repeats: int, seed: int
) -> Score:
    """The score with the standard errors of itself and its parts."""
    rng = np.random.default_rng([seed, 0])
    halves = []
    for repeat in range(repeats):
        rows = np.sort(rng.permutation(len(arrays))[: len(arrays) // 2])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DegenerateCodesWarning)  # said of all samples
                some = check_arrays(
                    arrays.codes[rows], arrays.factors[rows], arrays.names, arrays.discrete
                )
                halves.append(measure(some, seed + 1 + repeat))
        except ValueError as error:
            raise CannotComputeError(
                f"no standard error: {score.name} of half of the samples is not defined ({error})"
            ) from error
    parts = [
        _with_error(part, [half.parts[k] for half in halves]) for k, part in enumerate(score.parts)
    ]
    return _with_error(score, halves, parts)


def _with_error(score: Score, halves: Sequence[Score], parts: Sequence[Score] = ()) -> Score:
    of_factor = {
        name: stdev(half.per_factor[name] for half in halves)
        for name in score.per_factor
        if all(name in half.per_factor for half in halves)
    }
    return Score(
        float(score),
        score.name,
        score.per_factor,
        {**score.details, "error_of_factor": of_factor},
        score.per_code,
        parts,
        stdev(float(half) for half in halves),
    )
