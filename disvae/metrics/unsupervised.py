"""Numbers of the codes alone: how far their dimensions depend on one another."""

import math

import numpy as np
from numpy.typing import NDArray

from disvae.metrics.arrays import Arrays, check_codes
from disvae.metrics.information import USUAL_BINS, code_cells, mutual_information
from disvae.metrics.score import Score


def gaussian_total_correlation(codes: object, factors: object = None, *, seed: int = 0) -> Score:
    """The total correlation in nats of a Gaussian with the codes' covariance.

    -1/2 ln det of the correlations of the dimensions that vary: 0 if they are uncorrelated,
    infinite if one is a linear function of others. Units of dimensions do not matter.

    Args:
        codes: (n, latent_dim) floats, posterior means or samples of the posteriors.
        factors: unused: these are metrics without labels.
        seed: unused, since nothing is drawn; all metrics take one.

    Returns:
        Nats, 0 at least; ``details``: what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_codes`.

    Reference:
        Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations,
        Locatello et al. 2019, https://arxiv.org/abs/1811.12359, appendix.
    """
    arrays = check_codes(codes)
    z = arrays.standard[:, arrays.live]
    determinant = np.linalg.slogdet(z.T @ z / len(z))[1] if z.shape[1] else 0.0
    return Score(max(0.0, -0.5 * float(determinant)), "Gaussian TC", details=arrays.details())


def wasserstein_correlation(
    codes: object, factors: object = None, *, seed: int = 0, normalize: bool = True
) -> Score:
    """How far a Gaussian with the codes' covariance is from that with independent dimensions.

    The squared 2-Wasserstein distance, 2 tr Σ - 2 tr (D^½ Σ D^½)^½ with D the diagonal of Σ. It
    stays finite, and dimensions of little variance hardly count: it depends on their units.

    Args:
        codes: (n, latent_dim) floats, posterior means or samples of the posteriors.
        factors: unused: these are metrics without labels.
        seed: unused, since nothing is drawn; all metrics take one.
        normalize: divide by the trace of Σ.

    Returns:
        The distance, 0 at least; ``details``: what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_codes`.

    Reference:
        Recent Advances in Autoencoder-Based Representation Learning, Tschannen et al. 2018,
        https://arxiv.org/abs/1812.05069; Locatello et al. 2019, https://arxiv.org/abs/1811.12359.
    """
    arrays = check_codes(codes)
    z = arrays.codes[:, arrays.live]
    covariance = np.atleast_2d(np.cov(z.T)) if z.shape[1] else np.zeros((1, 1))
    root = np.sqrt(np.diag(covariance))
    spectrum = np.linalg.eigvalsh(root[:, None] * covariance * root)
    trace = float(np.trace(covariance))
    distance = max(0.0, 2 * trace - 2 * float(np.sqrt(np.maximum(spectrum, 0.0)).sum()))
    if normalize:
        distance = distance / trace if trace > 0 else 0.0
    return Score(distance, "Wasserstein correlation", details=arrays.details())


def mutual_information_score(
    codes: object, factors: object = None, *, seed: int = 0, bins: int = USUAL_BINS
) -> Score:
    """The mean mutual information of two dimensions that vary, in nats, by histograms.

    Args:
        codes: (n, latent_dim) floats, posterior means or samples of the posteriors.
        factors: unused: these are metrics without labels.
        seed: unused, since nothing is drawn; all metrics take one.
        bins: of each dimension. Independent dimensions have about (bins - 1)² / 2n nats.

    Returns:
        Nats, 0 at least; ``details``: ``mutual_information`` (latent_dim x latent_dim, with the
        entropies on its diagonal), and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_codes`; or fewer than 2 bins.

    Reference:
        Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations,
        Locatello et al. 2019, https://arxiv.org/abs/1811.12359, appendix.
    """
    if bins < 2:
        raise ValueError(f"expected at least 2 bins, got {bins}")
    arrays = check_codes(codes)
    table = _between_dimensions(arrays, bins)
    pairs = [table[i, j] for i in arrays.live for j in arrays.live if i < j]
    mean = math.fsum(pairs) / len(pairs) if pairs else 0.0
    details = {**arrays.details(), "mutual_information": table.tolist(), "bins": bins}
    return Score(mean, "mutual information score", details=details)


def _between_dimensions(arrays: Arrays, bins: int) -> NDArray[np.float64]:
    cells = code_cells(arrays, bins)
    return np.array([[mutual_information(a, b) for b in cells] for a in cells])
