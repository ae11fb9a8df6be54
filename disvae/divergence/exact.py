"""The KL decomposition under the exact aggregate posterior of a whole data set: for evaluation."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal

from disvae.divergence.closed_form import standard_normal
from disvae.divergence.decomposition import (
    KLDecomposition,
    from_log_densities,
    pairwise_log_density,
)


@torch.no_grad()
def exact_decomposition(
    posterior: Normal,
    z: Float[Tensor, "images latent_dim"] | None = None,
    block_size: int = 256,
    generator: torch.Generator | None = None,
) -> KLDecomposition:
    """The three terms of the KL for the aggregate posterior q(z) = (1/N) Σ_n q(z|x_n), in nats.

    log q(z) and log q(z_j) are enumerated over all N posteriors, at one code per image; the only
    error left is that of averaging over these codes. This is the truth that the estimators of
    :mod:`disvae.divergence.minibatch` are tested against. It costs N² · latent_dim density
    evaluations in float64, and memory for ``block_size ** 2 * latent_dim`` of them.

    Args:
        posterior: q(z|x_n) of the whole data set, loc and scale (images, latent_dim).
        z: one code per image, drawn from ``posterior``; drawn here if None.
        block_size: how many images are compared with how many others at a time.
        generator: source of the draws; PyTorch's global one if None.

    Raises:
        ValueError: shapes that differ, no images, values that are not finite, a scale that
            is not positive, or a block size below 1.

    Example:
        >>> q = Normal(torch.zeros(100, 2), torch.ones(100, 2))  # collapsed: nothing is encoded
        >>> [round(term.item(), 6) + 0.0 for term in exact_decomposition(q)]
        [0.0, 0.0, 0.0]
    """
    q = Normal(posterior.loc.double(), posterior.scale.double(), validate_args=False)
    if z is None:
        noise = torch.randn(q.loc.shape, generator=generator, dtype=q.loc.dtype)
        z = q.loc + q.scale * noise.to(q.loc.device)
    z = z.double()
    _check(q, z, block_size)
    blocks = [_log_densities(q, rows, block_size) for rows in z.split(block_size)]
    log_aggregate = torch.cat([joint for joint, _ in blocks])
    log_marginals = torch.cat([marginals for _, marginals in blocks])
    return from_log_densities(q, z, standard_normal(z), log_aggregate, log_marginals)


def _log_densities(q: Normal, z: Tensor, block_size: int) -> tuple[Tensor, Tensor]:
    """The logs of q(z), shape (rows,), and q(z_j), (rows, latent_dim), over all of ``q``."""
    log_joint = z.new_full((len(z),), -math.inf)
    log_marginals = torch.full_like(z, -math.inf)
    for block in _blocks(q, block_size):
        log_q = pairwise_log_density(block, z)  # (row, image, d): log q(z_row,d | x_image)
        log_joint = torch.logaddexp(log_joint, log_q.sum(-1).logsumexp(1))
        log_marginals = torch.logaddexp(log_marginals, log_q.logsumexp(1))
    log_n = math.log(len(q.loc))
    return log_joint - log_n, log_marginals - log_n


def _blocks(q: Normal, block_size: int) -> Iterator[Normal]:
    for loc, scale in zip(q.loc.split(block_size), q.scale.split(block_size), strict=True):
        yield Normal(loc, scale, validate_args=False)


def _check(q: Normal, z: Tensor, block_size: int) -> None:
    if block_size < 1:
        raise ValueError(f"block_size must be at least 1, got {block_size}")
    if z.dim() != 2 or q.loc.shape != z.shape or len(z) == 0:
        raise ValueError(
            "expected a posterior and codes of the same shape (images, latent_dim), got "
            f"{tuple(q.loc.shape)} and {tuple(z.shape)}"
        )
    if not all(bool(torch.isfinite(values).all()) for values in (q.loc, q.scale, z)):
        raise ValueError("the posterior or the codes hold NaN or infinite values")
    if not bool((q.scale > 0).all()):
        raise ValueError(
            "the posterior has a scale that is not positive: exp(log_var / 2) has underflowed?"
        )
