"""The KL decomposition of a minibatch, by an estimator's name."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from disvae.divergence.decomposition import KLDecomposition
from disvae.divergence.jackknife import MinibatchJackknife
from disvae.divergence.minibatch import (
    MinibatchOfDataSet,
    MinibatchStratified,
    MinibatchWeighted,
)

ESTIMATORS: dict[str, Callable[[int], MinibatchOfDataSet]] = {
    "mws": MinibatchWeighted,
    "mss": MinibatchStratified,
    "jackknife": MinibatchJackknife,
}


def make_estimator(name: str, dataset_size: int) -> MinibatchOfDataSet:
    """The estimator that the command line calls ``name``: "mws", "mss" or "jackknife"."""
    if name not in ESTIMATORS:
        raise ValueError(f"unknown estimator {name!r}, expected one of {sorted(ESTIMATORS)}")
    return ESTIMATORS[name](dataset_size)


def decompose(
    posterior: Distribution,
    z: Float[Tensor, "batch columns"],
    dataset_size: int,
    estimator: str = "jackknife",
    prior: Distribution | None = None,
) -> KLDecomposition:
    """Estimate the three terms of the KL from a minibatch, in nats per image.

    Differentiable with respect to the posterior and to ``z``.

    Args:
        posterior: q(z|x) of the batch, (batch, latent_dim): a Normal, or a
            :class:`MixedDistribution`.
        z: one code per image, drawn from ``posterior``, in its columns.
        dataset_size: number of images in the whole training set. It has no default: a guess would
            run, and be wrong by log N.
        estimator: "jackknife" (stratified weights with most of the bias taken out), "mss"
            (minibatch stratified sampling) or "mws" (minibatch weighted sampling, whose values are
            not near the truth).
        prior: p(z), batch shape (latent_dim,); the standard normal if None, with all categories
            alike.

    Raises:
        ValueError: an unknown estimator, shapes that differ, an empty batch, a batch larger than
            the data set, or one too small for the estimator.

    Example:
        >>> import torch
        >>> from torch.distributions import Normal
        >>> q = Normal(torch.randn(64, 10), 0.1 * torch.ones(64, 10))
        >>> kl = decompose(q, q.rsample(), dataset_size=2_000)
        >>> kl.total_correlation.shape
        torch.Size([])
    """
    return make_estimator(estimator, dataset_size)(posterior, z, prior)
