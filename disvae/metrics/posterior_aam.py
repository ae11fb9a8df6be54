"""The axis alignment metric of posteriors."""

from collections.abc import Sequence

from disvae.metrics.aam import axis_alignment
from disvae.metrics.posterior_information import Posterior, check_posterior, posterior_information
from disvae.metrics.score import Score


def posterior_aam(
    posterior: Posterior,
    factors: object,
    *,
    seed: int = 0,
    names: Sequence[str] | None = None,
    progress: bool = False,
) -> Score:
    """Axis alignment (:func:`disvae.metrics.aam`) by the information of noisy codes.

    Args:
        posterior: q(z|x) of each sample, as for :func:`disvae.metrics.posterior_mig`.
        factors: (n, n_factors) integers.
        seed: unused, since nothing is drawn; all metrics take one.
        names: one name per factor, for the details.
        progress: show a progress bar.

    Returns:
        The mean, from 0 to 1; ``per_factor``; ``details`` as in :func:`disvae.metrics.mig`.

    Raises:
        ValueError: as :func:`disvae.metrics.posterior_mig`.

    Reference:
        https://github.com/YannDubs/disentangling-vae, where it is defined.
    """
    arrays, dimensions = check_posterior(posterior, factors, names)
    information = posterior_information(arrays, dimensions, progress)
    return axis_alignment(arrays, information, "AAM of posteriors")
