"""All metrics at once."""

from collections.abc import Callable, Mapping, Sequence

from disvae.metrics.arrays import check_arrays
from disvae.metrics.factor_vae import factor_vae_score
from disvae.metrics.mig import mig
from disvae.metrics.score import Score, Scores

METRICS: dict[str, Callable[..., Score]] = {"FactorVAE score": factor_vae_score, "MIG": mig}


def evaluate(
    codes: object,
    factors: object,
    *,
    seed: int = 0,
    names: Sequence[str] | None = None,
    metrics: Mapping[str, Callable[..., Score]] | None = None,
) -> Scores:
    """Compute every metric, or some, on the same codes and factors.

    Args:
        codes: (n, latent_dim) floats; a NumPy array, a tensor on any device, or array-like.
        factors: (n, n_factors) integers.
        seed: given to every metric.
        names: one name per factor, for the details.
        metrics: functions ``f(codes, factors, *, seed, names) -> Score`` by name; all of this
            package's if None.

    Returns:
        The scores by name; printed, a table with a column per factor.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`.

    Example:
        >>> v = [[a, b] for a in range(4) for b in range(5)]
        >>> print(evaluate(v, v, names=["shape", "size"]))
        metric           score  shape  size
        FactorVAE score  1.000  1.000  1.000
        MIG              1.000  1.000  1.000
    """
    arrays = check_arrays(codes, factors, names)
    chosen = METRICS if metrics is None else metrics
    return Scores(
        {
            name: metric(arrays.codes, arrays.factors, seed=seed, names=arrays.names)
            for name, metric in chosen.items()
        }
    )
