"""The mutual information of codes and factors, exact over the posteriors of all samples."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Normal
from tqdm import tqdm

from disvae.metrics.arrays import Arrays, check_arrays
from disvae.metrics.information import Information, mutual_information
from disvae.metrics.mixtures import Mixture

Posterior = Normal | tuple[object, object]


def check_posterior(
    posterior: Posterior, factors: object, names: Sequence[str] | None
) -> tuple[Arrays, NDArray[np.float64]]:
    """The means with the factors, and the standard deviations, (n, latent_dim).

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; standard deviations of another
            shape than the means, or not positive and finite.
    """
    mean, std = (posterior.loc, posterior.scale) if isinstance(posterior, Normal) else posterior
    arrays = check_arrays(mean, factors, names)
    if isinstance(std, torch.Tensor):
        std = std.detach().cpu().double().numpy()
    scale = np.asarray(std, dtype=np.float64)
    if scale.shape != arrays.codes.shape:
        raise ValueError(f"means of shape {arrays.codes.shape}, but deviations of {scale.shape}")
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError("expected standard deviations that are positive and finite")
    return arrays, scale


def posterior_information(
    arrays: Arrays, std: NDArray[np.float64], progress: bool = False
) -> Information:
    """I(z_j; v_k) of a code drawn from the posterior of a sample drawn uniformly.

    H(z_j) - H(z_j | v_k), differential entropies of mixtures of the samples' Gaussians.

    Args:
        arrays: posterior means and factors.
        std: standard deviations, (n, latent_dim).
        progress: show a progress bar over the dimensions.

    Raises:
        CannotComputeError: a posterior is too narrow; see :class:`disvae.metrics.mixtures.Mixture`.
    """
    values, sizes = arrays.values, arrays.sizes
    shares = [np.bincount(v) / len(v) for v in values.T]
    table = np.zeros((len(sizes), std.shape[1]))
    entropy = np.zeros(std.shape[1])
    for j in tqdm(range(std.shape[1]), unit="dimension", disable=not progress):
        mixture = Mixture(arrays.codes[:, j], std[:, j])
        for k, size in enumerate(sizes):
            entropy[j], within = mixture.entropies(values[:, k], int(size))
            table[k, j] = max(0.0, entropy[j] - float(shares[k] @ within))
    of_factors = np.array([mutual_information(v, v) for v in values.T])
    return Information(table, of_factors, entropy, bins=None)
