"""The mutual information of codes and factors, exact over the posteriors of all samples."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Normal
from tqdm import tqdm

from disvae.divergence import MixedDistribution
from disvae.divergence.parameters import continuous_part
from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.information import Information, mutual_information
from disvae.metrics.mixtures import Categories, Mixture

Posterior = Normal | MixedDistribution | tuple[object, object]


def check_posterior(
    posterior: Posterior, factors: object, names: Sequence[str] | None
) -> tuple[Arrays, list[Mixture | Categories]]:
    """The codes with the factors, and the posteriors of all samples in each dimension.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; standard deviations of another
            shape than the means, or not positive and finite.
    """
    categories: list[Categories] = []
    if isinstance(posterior, tuple):
        loc, scale = posterior
    else:
        loc, scale = posterior.loc, continuous_part(posterior).scale
    arrays = check_arrays(loc, factors, names)
    if isinstance(posterior, MixedDistribution):
        categories = [Categories(_as_numpy(block.exp())) for block in posterior.logits]
    mean, std = arrays.codes[:, : arrays.codes.shape[1] - len(categories)], _as_numpy(scale)
    if std.shape != mean.shape:
        raise ValueError(f"means of shape {mean.shape}, but deviations of {std.shape}")
    if not (np.isfinite(std).all() and (std > 0).all()):
        raise ValueError("expected standard deviations that are positive and finite")
    return arrays, [*(Mixture(m, s) for m, s in zip(mean.T, std.T, strict=True)), *categories]


def posterior_information(
    arrays: Arrays, dimensions: Sequence[Mixture | Categories], progress: bool = False
) -> Information:
    """I(z_j; v_k) of a code drawn from the posterior of a sample drawn uniformly.

    H(z_j) - H(z_j | v_k): entropies of mixtures of the samples' Gaussians, differential ones, or
    of their categories' probabilities.

    Args:
        arrays: codes and factors.
        dimensions: the posteriors of all samples in each.
        progress: show a progress bar over the dimensions.

    Raises:
        CannotComputeError: a posterior is too narrow; see :class:`disvae.metrics.mixtures.Mixture`.
    """
    values, sizes = arrays.values, arrays.sizes
    shares = [np.bincount(v) / len(v) for v in values.T]
    table = np.zeros((len(sizes), len(dimensions)))
    entropy = np.zeros(len(dimensions))
    for j, mixture in enumerate(tqdm(dimensions, unit="dimension", disable=not progress)):
        for k, size in enumerate(sizes):
            entropy[j], within = mixture.entropies(values[:, k], int(size))
            table[k, j] = max(0.0, entropy[j] - float(shares[k] @ within))
    of_factors = np.array([mutual_information(v, v) for v in values.T])
    return Information(table, of_factors, entropy, bins=None)


def _as_numpy(values: object) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)
