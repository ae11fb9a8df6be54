"""All metrics at once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tqdm import tqdm

from disvae.metrics.arrays import Arrays, CannotComputeError, check_arrays
from disvae.metrics.error import standard_errors
from disvae.metrics.presets import METRICS, WITHOUT_FACTORS, Metric, choose
from disvae.metrics.score import Score, Scores


def evaluate(
    codes: object,
    factors: object,
    *,
    seed: int = 0,
    names: Sequence[str] | None = None,
    discrete: Sequence[int] = (),
    metrics: Mapping[str, Metric] | Sequence[str] | None = None,
    preset: str = "default",
    repeats: int = 0,
    progress: bool = False,
) -> Scores:
    """Compute every metric, or some, on the same codes and factors.

    What several metrics need is computed once. A metric that is not defined on the arrays is left
    out, and ``skipped`` of the result says why.

    Args:
        codes: (n, latent_dim) floats; a NumPy array, a tensor on any device, or array-like.
        factors: (n, n_factors) integers; see :func:`disvae.metrics.bin_factors` for others.
        seed: given to every metric.
        names: one name per factor, for the details.
        discrete: the dimensions whose codes are numbers of categories, which the FactorVAE score,
            the Z-max-variance score and InfoMEC treat as such; to the others they are numbers.
        metrics: names out of the preset, or functions ``f(codes, factors, *, seed, names) ->
            Score`` by name; all of the preset if None.
        preset: the convention; "default", "paper", "disentanglement_lib" or "review".
        repeats: random halves of the samples to measure standard errors with, 20 say; see
            :func:`disvae.metrics.with_error`. The time grows with them.
        progress: show a progress bar.

    Returns:
        The scores by name; printed, a table with a column per factor.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; an unknown preset or metric; or
            ``repeats`` of 1 or below 0.

    Example:
        >>> v = [[a, b] for a in range(4) for b in range(5)]
        >>> print(evaluate(v, v, names=["shape", "size"], metrics=["FactorVAE score", "MIG"]))
        metric           score  shape  size
        FactorVAE score  1.000  1.000  1.000
        MIG              1.000  1.000  1.000
    """
    arrays = check_arrays(codes, factors, names, discrete)
    if repeats < 0 or repeats == 1:
        raise ValueError(f"repeats must be 0 or 2 at least, got {repeats}")
    chosen = choose(
        metrics if metrics is None or isinstance(metrics, Mapping) else list(metrics), preset
    )
    found: dict[str, Score] = {}
    skipped: dict[str, str] = {}
    with tqdm(total=len(chosen), unit="metric", disable=not progress) as bar:
        for name, metric in chosen.items():
            bar.set_postfix_str(name)
            try:
                score = compute(metric, arrays, seed)
            except CannotComputeError as error:
                skipped[name] = str(error)
            else:
                if repeats:
                    measure = partial(compute, metric)
                    score = standard_errors(score, measure, arrays, repeats, seed)
                found |= {part.name if score.parts else name: part for part in flat(score)}
            bar.update()
    return Scores(found, skipped)


def compute(metric: Metric, arrays: Arrays, seed: int) -> Score:
    """A metric of checked arrays: the built-in ones take them as they are, with what is shared."""
    function = metric.func if isinstance(metric, partial) else metric
    if function in BUILT_IN:
        return metric(arrays, seed=seed)
    return metric(arrays.codes, arrays.factors, seed=seed, names=arrays.names)


def flat(score: Score) -> Iterator[Score]:
    """A score and its parts."""
    yield score
    yield from score.parts


BUILT_IN = frozenset([*METRICS.values(), *WITHOUT_FACTORS.values()])
