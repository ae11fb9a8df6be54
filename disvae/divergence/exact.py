"""The KL decomposition under the exact aggregate posterior of a whole data set: for evaluation."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution
from tqdm import tqdm

from disvae.divergence.decomposition import KLDecomposition, at_codes, pairwise_log_density
from disvae.divergence.parameters import (
    continuous_part,
    draw,
    map_parameters,
    parameters_of,
    sizes_of,
    standard_prior,
)


class MeasuredDecomposition(NamedTuple):
    """The three terms of the KL, averaged over codes, and how far to trust each average.

    Attributes:
        mean: the terms, in nats per image.
        standard_error: of each term, from the spread between the codes; NaN for a single code.
        n_codes: how many codes were averaged.
        n_images: N, how many posteriors the aggregate posterior averages over.
    """

    mean: KLDecomposition
    standard_error: KLDecomposition
    n_codes: int
    n_images: int


@torch.no_grad()
def exact_decomposition(
    posterior: Distribution,
    z: Float[Tensor, "images columns"] | None = None,
    block_size: int = 128,
    generator: torch.Generator | None = None,
    prior: Distribution | None = None,
) -> KLDecomposition:
    """The three terms of the KL for the aggregate posterior q(z) = (1/N) Σ_n q(z|x_n), in nats.

    log q(z) and log q(z_j) are enumerated over all N posteriors, at one code per image; the only
    error left is that of averaging over these codes. This is the truth that the estimators of
    :mod:`disvae.divergence.minibatch` are tested against. It costs N² · latent_dim density
    evaluations in float64, and memory for ``block_size ** 2 * latent_dim`` of them; where N² is too
    many, :func:`measure_decomposition` takes fewer codes.

    Args:
        posterior: q(z|x_n) of the whole data set, (images, latent_dim): a Normal, or a
            :class:`MixedDistribution`.
        z: one code per image, drawn from ``posterior``, in its columns; drawn here if None.
        block_size: how many images are compared with how many others at a time.
        generator: source of the draws, on the CPU; PyTorch's global one if None.
        prior: p(z), batch shape (latent_dim,); the standard normal if None, with all categories
            alike.

    Raises:
        ValueError: shapes that differ, no images, values that are not finite, a scale that
            is not positive, or a block size below 1.

    Example:
        >>> from torch.distributions import Normal
        >>> q = Normal(torch.zeros(100, 2), torch.ones(100, 2))  # collapsed: nothing is encoded
        >>> [round(term.item(), 6) + 0.0 for term in exact_decomposition(q)]
        [0.0, 0.0, 0.0]
    """
    q = _double(posterior)
    z = draw(q, 1, generator)[0] if z is None else z.double()
    _check(q, z, block_size)
    terms = _terms(q, q, z, _prior(q, prior), block_size, progress=False)
    return KLDecomposition(*terms.mean(0))


@torch.no_grad()
def measure_decomposition(
    posterior: Distribution,
    n_codes: int = 1_000,
    block_size: int = 128,
    generator: torch.Generator | None = None,
    progress: bool = True,
    prior: Distribution | None = None,
) -> MeasuredDecomposition:
    """The exact aggregate posterior of any number of images, at some of their codes.

    The same densities over all N posteriors as in :func:`exact_decomposition`, averaged over
    ``n_codes`` codes instead of N: one code of each of as many images, drawn without replacement.
    So that it costs N · n_codes · latent_dim density evaluations, and an error that is reported.

    Args:
        posterior: q(z|x_n) of the whole data set, as for :func:`exact_decomposition`.
        n_codes: how many codes; one for every image if there are fewer images.
        block_size: how many codes are compared with how many images at a time.
        generator: source of the draws, on the CPU; PyTorch's global one if None.
        progress: show a progress bar.
        prior: p(z), as for :func:`exact_decomposition`.

    Raises:
        ValueError: as :func:`exact_decomposition`, or less than one code.

    Example:
        >>> from torch.distributions import Normal
        >>> q = Normal(torch.randn(5_000, 2), 0.3 * torch.ones(5_000, 2))
        >>> measured = measure_decomposition(q, n_codes=500, progress=False)
        >>> measured.n_codes, measured.n_images
        (500, 5000)
    """
    if n_codes < 1:
        raise ValueError(f"n_codes must be at least 1, got {n_codes}")
    q = _double(posterior)
    _check(q, None, block_size)
    n_images = q.batch_shape[0]
    rows = torch.randperm(n_images, generator=generator)[:n_codes]
    own = map_parameters(lambda parameter: parameter[rows.to(parameter.device)], q)
    terms = _terms(q, own, draw(own, 1, generator)[0], _prior(q, prior), block_size, progress)
    n = len(terms)
    error = terms.std(0) / n**0.5 if n > 1 else torch.full_like(terms[0], math.nan)
    return MeasuredDecomposition(
        KLDecomposition(*terms.mean(0)), KLDecomposition(*error), n, n_images
    )


def _terms(
    q: Distribution,
    own: Distribution,
    z: Float[Tensor, "codes columns"],
    prior: Distribution,
    block_size: int,
    progress: bool,
) -> Float[Tensor, "codes 3"]:
    """The three terms at each code, whose own posterior is in ``own`` and all of them in ``q``."""
    blocks = []
    for rows in tqdm(z.split(block_size), unit="block", disable=not progress):
        blocks.append(_log_densities(q, rows, block_size))
    log_aggregate = torch.cat([joint for joint, _ in blocks])
    log_marginals = torch.cat([marginals for _, marginals in blocks])
    return torch.stack(at_codes(own, z, prior, log_aggregate, log_marginals), dim=1)


def _log_densities(q: Distribution, z: Tensor, block_size: int) -> tuple[Tensor, Tensor]:
    """The logs of q(z), shape (rows,), and q(z_j), (rows, latent_dim), over all of ``q``."""
    n_images, latent_dim = q.batch_shape
    log_joint = z.new_full((len(z),), -math.inf)
    log_marginals = z.new_full((len(z), latent_dim), -math.inf)
    for block in _blocks(q, block_size):
        log_q = pairwise_log_density(block, z)  # (row, image, d): log q(z_row,d | x_image)
        log_joint = torch.logaddexp(log_joint, log_q.sum(-1).logsumexp(1))
        log_marginals = torch.logaddexp(log_marginals, log_q.logsumexp(1))
    log_n = math.log(n_images)
    return log_joint - log_n, log_marginals - log_n


def _blocks(q: Distribution, block_size: int) -> Iterator[Any]:
    for start in range(0, q.batch_shape[0], block_size):
        rows = slice(start, start + block_size)
        yield map_parameters(lambda parameter, rows=rows: parameter[rows], q)


def _double(distribution: Distribution) -> Any:
    return map_parameters(Tensor.double, distribution)


def _prior(q: Distribution, prior: Distribution | None) -> Any:
    return standard_prior(q) if prior is None else _double(prior)


def _check(q: Distribution, z: Any, block_size: int) -> None:
    """Refuse what cannot be enumerated; codes of None are still to be drawn."""
    if block_size < 1:
        raise ValueError(f"block_size must be at least 1, got {block_size}")
    shape = tuple(q.batch_shape)
    expected = (*shape[:-1], sum(sizes_of(q)))
    if len(shape) != 2 or shape[0] == 0 or (z is not None and tuple(z.shape) != expected):
        raise ValueError(
            "expected a posterior and codes of the same shape (images, latent_dim), got "
            f"{shape} and {'none' if z is None else tuple(z.shape)}"
        )
    values = [*parameters_of(q).values(), *([] if z is None else [z])]
    if not all(bool(torch.isfinite(value).all()) for value in values):
        raise ValueError("the posterior or the codes hold NaN or infinite values")
    if not bool((continuous_part(q).stddev > 0).all()):
        raise ValueError(
            "the posterior has a scale that is not positive: exp(log_var / 2) has underflowed?"
        )
