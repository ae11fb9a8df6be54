"""Distributions of codes as tensors: their columns, their draws, and their parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Normal

from disvae.divergence.closed_form import standard_normal
from disvae.divergence.mixed import MixedDistribution, gumbel, one_hot


def sizes_of(distribution: Distribution) -> tuple[int, ...]:
    """The number of columns of each variable: 1, or that of its categories."""
    if isinstance(distribution, MixedDistribution):
        return distribution.sizes
    return (1,) * distribution.batch_shape[-1]


def continuous_part(distribution: Distribution) -> Any:
    """The continuous variables: none of them, some, or all."""
    return distribution.continuous if isinstance(distribution, MixedDistribution) else distribution


def map_parameters(f: Callable[..., Tensor], *distributions: Distribution) -> Any:
    """The distribution whose parameters are ``f`` of those of some others.

    Args:
        f: from as many tensors as there are distributions to one.
        distributions: of one kind, such as Normal, or all :class:`MixedDistribution`, whose logits
            are normalised after ``f``.

    Example:
        >>> q = Normal(torch.zeros(5, 2), torch.ones(5, 2))
        >>> map_parameters(lambda parameter: parameter[:3], q).loc.shape
        torch.Size([3, 2])
    """
    first: Any = distributions[0]
    if isinstance(first, MixedDistribution):
        mixed: Any = distributions
        continuous = map_parameters(f, *(q.continuous for q in mixed))
        logits = [f(*blocks) for blocks in zip(*(q.logits for q in mixed), strict=True)]
        return MixedDistribution(continuous, logits, first.temperature)
    parameters = {name: f(*(getattr(q, name) for q in distributions)) for name in _names(first)}
    return type(first)(**parameters, validate_args=False)


def parameters_of(distribution: Distribution) -> dict[str, Tensor]:
    """The parameters by name; the logits of a categorical variable by the number of its dimension.

    Example:
        >>> q = Normal(torch.zeros(5, 2), torch.ones(5, 2))
        >>> list(parameters_of(MixedDistribution(q, [torch.zeros(5, 3)])))
        ['loc', 'scale', 'logits_2']
    """
    if isinstance(distribution, MixedDistribution):
        start = distribution.n_continuous
        logits = {f"logits_{j}": block for j, block in enumerate(distribution.logits, start)}
        return {**parameters_of(distribution.continuous), **logits}
    return {name: getattr(distribution, name) for name in _names(distribution)}


def join(posteriors: Sequence[Distribution]) -> Any:
    """The posteriors of some batches as one, on the CPU and in single precision.

    Args:
        posteriors: all of one kind; see :func:`map_parameters`.
    """
    return map_parameters(lambda *parts: torch.cat([p.float().cpu() for p in parts]), *posteriors)


def standard_prior(posterior: Distribution) -> Any:
    """The usual prior, of shape (latent_dim,): standard normal, and all categories alike.

    Args:
        posterior: of shape (..., latent_dim), for the kinds of its variables.
    """
    continuous = standard_normal(continuous_part(posterior).mean)
    if not isinstance(posterior, MixedDistribution):
        return continuous
    alike = [block.new_zeros(block.shape[-1]) for block in posterior.logits]
    return MixedDistribution(continuous, alike, posterior.temperature)


@torch.no_grad()
def draw(
    distribution: Distribution, n: int, generator: torch.Generator | None = None
) -> Float[Tensor, "n *batch columns"]:
    """``n`` draws, in columns, without a gradient.

    Args:
        distribution: a Normal, one that has an ``icdf``, or a :class:`MixedDistribution` of such.
        n: how many of each variable.
        generator: source of the draws, on the CPU; PyTorch's global one if None.
    """
    if isinstance(distribution, MixedDistribution):
        blocks = [_draw_categories(block, n, generator) for block in distribution.logits]
        return torch.cat([draw(distribution.continuous, n, generator), *blocks], dim=-1)
    if isinstance(distribution, Normal):
        noise = _random(torch.randn, n, distribution.loc, generator)
        return distribution.loc + distribution.scale * noise.to(distribution.loc)
    like = distribution.mean
    return distribution.icdf(_random(torch.rand, n, like, generator)).to(like)


def _draw_categories(logits: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
    noise = gumbel(_random(torch.rand, n, logits, generator))
    return one_hot(logits + noise).to(logits)


def _random(
    source: Callable[..., Tensor], n: int, like: Tensor, generator: torch.Generator | None
) -> Tensor:
    """Random numbers drawn on the CPU, in float32 at least."""
    wide = torch.promote_types(like.dtype, torch.float32)
    return source(n, *like.shape, generator=generator, dtype=wide).to(like.device)


def _names(distribution: Any) -> list[str]:
    return list(distribution.arg_constraints)
