"""Estimates of the KL decomposition from one minibatch: differentiable, for training.

The aggregate posterior q(z) = (1/N) Σ_n q(z|x_n) runs over all N images of the data set; a
minibatch knows M of them, one of which is the very image that z was drawn from. The estimators
differ in how they extrapolate from M to N.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from disvae.divergence.decomposition import (
    KLDecomposition,
    at_codes,
    pairwise_log_density,
)
from disvae.divergence.parameters import sizes_of, standard_prior


class Estimator(ABC):
    """Estimates log q(z) and log q(z_j) from the minibatch's own posteriors."""

    @abstractmethod
    def log_average(
        self, log_q: Float[Tensor, "batch batch *dims"]
    ) -> Float[Tensor, "batch *dims"]:
        """Entry i: the estimate of log q(z_i), from log q(z_i|x_j) at (i, j).

        It is called once with the densities of whole codes, and once with those of each dimension.
        """

    def __call__(
        self,
        posterior: Distribution,
        z: Float[Tensor, "batch columns"],
        prior: Distribution | None = None,
    ) -> KLDecomposition:
        """Decompose the KL of ``posterior`` at its codes ``z``; see :func:`decompose`."""
        _check(posterior, z)
        log_q = pairwise_log_density(posterior, z)  # (i, j, d): log q(z_i,d | x_j)
        # Each pair of images is weighed once: for whole codes after the sum over dimensions.
        log_aggregate = self.log_average(log_q.sum(-1))
        log_marginals = self.log_average(log_q)
        prior = standard_prior(posterior) if prior is None else prior
        terms = at_codes(posterior, z, prior, log_aggregate, log_marginals)
        return KLDecomposition(*(term.mean() for term in terms))


@dataclass(frozen=True)
class MinibatchOfDataSet(Estimator, ABC):
    """An estimator that knows how many images there are.

    Args:
        dataset_size: N, the number of images that the aggregate posterior averages over.

    Raises:
        ValueError: ``dataset_size`` is less than 1, or later less than a batch.
    """

    dataset_size: int

    def __post_init__(self) -> None:
        if self.dataset_size < 1:
            raise ValueError(f"dataset_size must be at least 1, got {self.dataset_size}")

    def _batch_size(self, log_q: Tensor, at_least: int) -> int:
        if not at_least <= len(log_q) <= self.dataset_size:
            raise ValueError(
                f"{type(self).__name__} got a batch of {len(log_q)} codes from a data set of "
                f"{self.dataset_size} images: expected at least {at_least} images, and at most "
                "dataset_size, the number of images in the whole training set"
            )
        return len(log_q)


@dataclass(frozen=True)
class MinibatchWeighted(MinibatchOfDataSet):
    """Minibatch weighted sampling (MWS): every pair weighs 1 / (N·M).

    A biased lower bound: where all posteriors are equal the truth is 0, and it reads
    (latent_dim - 1)·log N for the total correlation. Its gradient does not depend on N.

    Args:
        dataset_size: N, the number of images that the aggregate posterior averages over.

    Raises:
        ValueError: ``dataset_size`` is less than 1, or later less than a batch.

    Reference:
        Chen et al. 2018, https://arxiv.org/abs/1802.04942, section 4.1 and appendix C.1.
    """

    def log_average(
        self, log_q: Float[Tensor, "batch batch *dims"]
    ) -> Float[Tensor, "batch *dims"]:
        """The log of the row's sum over N·M."""
        m = self._batch_size(log_q, at_least=1)
        return log_q.logsumexp(1) - math.log(self.dataset_size * m)


@dataclass(frozen=True)
class MinibatchStratified(MinibatchOfDataSet):
    """Minibatch stratified sampling (MSS): an unbiased estimate of the density q(z).

    Row i weighs the image itself 1/N, one other (N - M + 1) / (N·(M - 1)), and each of the
    remaining M - 2 by 1/(M - 1): the row sums to 1. The implementations in circulation write the
    first two into columns 0 and 1 of every row instead of along the diagonal.

    Args:
        dataset_size: N, the number of images that the aggregate posterior averages over.

    Raises:
        ValueError: ``dataset_size`` is less than 1, or later less than a batch, or a batch of 1.

    Reference:
        Chen et al. 2018, https://arxiv.org/abs/1802.04942, appendix C.2.
    """

    def log_average(
        self, log_q: Float[Tensor, "batch batch *dims"]
    ) -> Float[Tensor, "batch *dims"]:
        """The log of the row's weighted sum."""
        m = self._batch_size(log_q, at_least=2)
        return torch.logsumexp(log_q + _like(log_q, self.log_weights(m, log_q)), dim=1)

    def log_weights(self, batch_size: int, like: Tensor) -> Float[Tensor, "batch batch"]:
        """The log of the weights, whose rows sum to 1, in the type of ``like``."""
        n, m = self.dataset_size, batch_size
        weights = like.new_full((m, m), 1 / (m - 1))
        weights.fill_diagonal_(1 / n)
        other = (n - m + 1) / (n * (m - 1))  # filled in: a GPU would have to be sent it
        weights.diagonal(1).fill_(other)
        weights[-1, 0].fill_(other)
        return weights.log()


@dataclass(frozen=True)
class BatchEstimate(Estimator):
    r"""q(z) as the plain average over the batch's other images: what FactorVAE's authors gave up.

    .. math:: \hat q(z_i) = \frac{1}{M - 1} \sum_{j \ne i} q(z_i | x_j)

    Kept to show why it fails. A code lies far from the posteriors of all other images once these
    are narrow, the more so the more dimensions there are, so that log q(z) is hugely negative while
    the marginals, of which each sees some neighbour, are not: the estimate of a total correlation,
    which cannot be negative, falls without bound. Penalising it rewards posteriors for being
    narrow. :class:`MinibatchStratified` differs by the weight 1/N of the image itself.

    Raises:
        ValueError: later, a batch of 1.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        appendix D, whose codes come from other images than the batch; leaving an image out of its
        own average gives the same with one batch.
    """

    def log_average(
        self, log_q: Float[Tensor, "batch batch *dims"]
    ) -> Float[Tensor, "batch *dims"]:
        """The log of the average over the others."""
        m = len(log_q)
        if m < 2:
            raise ValueError("the average over the other images needs a batch of at least 2, got 1")
        itself = torch.eye(m, dtype=torch.bool, device=log_q.device)
        others = log_q.masked_fill(_like(log_q, itself), -math.inf)
        return others.logsumexp(1) - math.log(m - 1)


def _like(log_q: Tensor, pairs: Tensor) -> Tensor:
    """A matrix over pairs of images, with trailing dimensions to broadcast over those of log_q."""
    return pairs.reshape(*pairs.shape, *[1] * (log_q.dim() - 2))


def _check(posterior: Distribution, z: Any) -> None:
    shape = tuple(posterior.batch_shape)
    if len(shape) != 2 or tuple(z.shape) != (shape[0], sum(sizes_of(posterior))) or len(z) == 0:
        raise ValueError(
            "expected a posterior and codes of the same shape (batch, latent_dim), with at least "
            f"one image, got {shape} and {tuple(z.shape)}"
        )
