"""The maximum mean discrepancy between codes and a Gaussian prior."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Normal


def maximum_mean_discrepancy(
    z: Float[Tensor, "batch latent_dim"], prior: Normal, bandwidth: float
) -> Float[Tensor, ""]:
    r"""The squared MMD between the distribution of ``z`` and the prior, by a Gaussian kernel.

    .. math::
        \frac{1}{M (M - 1)} \sum_{i \ne j} k(z_i, z_j) - \frac{2}{M} \sum_i E_{z'} k(z_i, z')
        + E_{z', z''} k(z', z''), \quad k(a, b) = e^{-\|a - b\|^2 / 2 s^2}

    with z' and z'' from the prior. It has no unit. Both expectations are taken in closed form,
    where the implementations in circulation draw codes of the prior; so the only noise is that of
    ``z``. Unbiased, hence at times below 0, where the truth cannot be. Differentiable.

    Args:
        z: codes.
        prior: p(z), a Gaussian of batch shape (latent_dim,).
        bandwidth: s, the kernel's standard deviation.

    Raises:
        ValueError: fewer than 2 codes, or a bandwidth that is not positive.

    Reference:
        A Kernel Two-Sample Test, Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html,
        lemma 6.
    """
    n = len(z)
    if n < 2:
        raise ValueError(f"the discrepancy needs a batch of at least 2 codes, got {n}")
    if not bandwidth > 0:
        raise ValueError(f"bandwidth must be positive, got {bandwidth}")
    spread = prior.variance
    width = torch.full_like(spread, bandwidth**2)
    between = _kernel((z[:, None] - z).square(), width, 0.0 * spread)
    within_codes = (between.sum() - n) / (n * (n - 1))  # k(z, z) = 1
    to_prior = _kernel((z - prior.mean).square(), width, spread).mean()
    within_prior = _kernel(torch.zeros_like(spread), width, 2 * spread)
    return within_codes - 2 * to_prior + within_prior


def _kernel(
    squared_distance: Float[Tensor, "... latent_dim"], width: Tensor, spread: Tensor
) -> Float[Tensor, "..."]:
    """E[k] over a Gaussian difference of that squared mean and variance ``spread``."""
    factors = 0.5 * (width / (width + spread)).log()
    return (factors - 0.5 * squared_distance / (width + spread)).sum(-1).exp()
