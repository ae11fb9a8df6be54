"""Estimates of the KL decomposition from one minibatch: differentiable, for training.

The aggregate posterior q(z) = (1/N) Σ_n q(z|x_n) runs over all N images of the data set; a
minibatch knows M of them, one of which is the very image that z was drawn from. The two estimators
differ in the weights with which they extrapolate from M to N.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal

from disvae.divergence.closed_form import standard_normal
from disvae.divergence.decomposition import (
    KLDecomposition,
    from_log_densities,
    pairwise_log_density,
)


@dataclass(frozen=True)
class MinibatchEstimator(ABC):
    """Estimates log q(z) and log q(z_j) by weighted sums over the minibatch's own posteriors.

    Args:
        dataset_size: N, the number of images that the aggregate posterior averages over.

    Raises:
        ValueError: ``dataset_size`` is less than 1, or later less than a batch.
    """

    dataset_size: int

    def __post_init__(self) -> None:
        if self.dataset_size < 1:
            raise ValueError(f"dataset_size must be at least 1, got {self.dataset_size}")

    @abstractmethod
    def log_weights(self, batch_size: int, like: Tensor) -> Float[Tensor, "batch batch"]:
        """Entry (i, j): the log of the weight of q(z_i|x_j) in the estimate of q(z_i)."""

    def __call__(
        self,
        posterior: Normal,
        z: Float[Tensor, "batch latent_dim"],
        prior: Distribution | None = None,
    ) -> KLDecomposition:
        """Decompose the KL of ``posterior`` at its codes ``z``; see :func:`decompose`."""
        _check(posterior, z, self.dataset_size)
        log_q = pairwise_log_density(posterior, z)  # (i, j, d): log q(z_i,d | x_j)
        log_weights = self.log_weights(len(z), z)
        # The weights enter once per pair of images: after the sum over dimensions for the joint.
        log_aggregate = torch.logsumexp(log_q.sum(-1) + log_weights, dim=1)
        log_marginals = torch.logsumexp(log_q + log_weights[..., None], dim=1)
        prior = standard_normal(z) if prior is None else prior
        return from_log_densities(posterior, z, prior, log_aggregate, log_marginals)


@dataclass(frozen=True)
class MinibatchWeighted(MinibatchEstimator):
    """Minibatch weighted sampling (MWS): every pair weighs 1 / (N·M).

    A biased lower bound: where all posteriors are equal the truth is 0, and it reads
    (latent_dim - 1)·log N for the total correlation. Its gradient does not depend on N.

    Reference:
        Chen et al. 2018, https://arxiv.org/abs/1802.04942, section 4.1 and appendix C.1.
    """

    def log_weights(self, batch_size: int, like: Tensor) -> Float[Tensor, "batch batch"]:
        """The constant -log(N·M)."""
        return like.new_full((batch_size, batch_size), -math.log(self.dataset_size * batch_size))


@dataclass(frozen=True)
class MinibatchStratified(MinibatchEstimator):
    """Minibatch stratified sampling (MSS): an unbiased estimate of the density q(z).

    Row i weighs the image itself 1/N, one other (N - M + 1) / (N·(M - 1)), and each of the
    remaining M - 2 by 1/(M - 1): the row sums to 1. The implementations in circulation write the
    first two into columns 0 and 1 of every row instead of along the diagonal.

    Reference:
        Chen et al. 2018, https://arxiv.org/abs/1802.04942, appendix C.2.
    """

    def log_weights(self, batch_size: int, like: Tensor) -> Float[Tensor, "batch batch"]:
        """The log of the weights, whose rows sum to 1; needs two images at least."""
        if batch_size < 2:
            raise ValueError("stratified sampling needs a batch of at least 2 images, got 1")
        n, m = self.dataset_size, batch_size
        weights = like.new_full((m, m), 1 / (m - 1))
        weights.fill_diagonal_(1 / n)
        rows = torch.arange(m, device=like.device)
        weights[rows, (rows + 1) % m] = (n - m + 1) / (n * (m - 1))
        return weights.log()


ESTIMATORS = {"mws": MinibatchWeighted, "mss": MinibatchStratified}


def make_estimator(name: str, dataset_size: int) -> MinibatchEstimator:
    """The estimator that the command line and the papers call ``name``: "mws" or "mss"."""
    if name not in ESTIMATORS:
        raise ValueError(f"unknown estimator {name!r}, expected one of {sorted(ESTIMATORS)}")
    return ESTIMATORS[name](dataset_size)


def decompose(
    posterior: Normal,
    z: Float[Tensor, "batch latent_dim"],
    dataset_size: int,
    estimator: str = "mws",
    prior: Distribution | None = None,
) -> KLDecomposition:
    """Estimate the three terms of the KL from a minibatch, in nats per image.

    Differentiable with respect to the posterior and to ``z``.

    Args:
        posterior: q(z|x) of the batch, loc and scale (batch, latent_dim).
        z: one code per image, drawn from ``posterior``.
        dataset_size: number of images in the whole training set. It has no default: a guess would
            run, and be wrong by log N.
        estimator: "mws" (minibatch weighted sampling) or "mss" (stratified).
        prior: p(z), batch shape (latent_dim,); the standard normal if None.

    Raises:
        ValueError: an unknown estimator, shapes that differ, an empty batch, a batch larger than
            the data set, or one too small for the estimator.

    Example:
        >>> from torch.distributions import Normal
        >>> q = Normal(torch.randn(64, 10), 0.1 * torch.ones(64, 10))
        >>> kl = decompose(q, q.rsample(), dataset_size=2_000, estimator="mss")
        >>> kl.total_correlation.shape
        torch.Size([])
    """
    return make_estimator(estimator, dataset_size)(posterior, z, prior)


def _check(posterior: Normal, z: Tensor, dataset_size: int) -> None:
    if z.dim() != 2 or posterior.batch_shape != z.shape:
        raise ValueError(
            "expected a posterior and codes of the same shape (batch, latent_dim), got "
            f"{tuple(posterior.batch_shape)} and {tuple(z.shape)}"
        )
    if not 1 <= len(z) <= dataset_size:
        raise ValueError(
            f"a batch of {len(z)} codes from a data set of {dataset_size} images: expected "
            "1 <= batch <= dataset_size, the number of images in the whole training set"
        )
