"""Lower bounds of the evidence log p(x) of images: how well a model explains them, in nats."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from disvae.data import ImageDataset
from disvae.divergence import draw, kl_per_dimension
from disvae.divergence.bounded import refuse_bounds
from disvae.models import LatentModel


class Evidence(NamedTuple):
    """A bound on log p(x), averaged over images.

    Attributes:
        bound: nats per image; higher is better.
        standard_error: of this mean, from the spread between the images; NaN for a single one.
        n_images: how many were averaged.
    """

    bound: float
    standard_error: float
    n_images: int


@torch.no_grad()
def elbo(
    model: LatentModel,
    data: ImageDataset,
    indices: Int[Tensor, " n"],
    batch_size: int = 256,
    generator: torch.Generator | None = None,
) -> Evidence:
    """The evidence lower bound over some images, one code drawn for each, the KL in closed form.

    Args:
        model: the model, on whatever device it is; it is not switched to evaluation mode.
        data: the images.
        indices: which of them, int64.
        batch_size: how many at once.
        generator: source of the draws, on the CPU; PyTorch's global one if None.

    Raises:
        ValueError: no images, or a prior with bounds
            (:func:`disvae.divergence.bounded.refuse_bounds`).

    Reference:
        Auto-Encoding Variational Bayes, Kingma and Welling 2014, https://arxiv.org/abs/1312.6114,
        equation 3.
    """
    refuse_bounds(model.prior)
    bounds = []
    for x in _batches(model, data, indices, batch_size):
        posterior = model.encode(x)
        z = draw(posterior, 1, generator)[0]
        kl = kl_per_dimension(posterior, model.prior).sum(-1)
        bounds.append(-model.likelihood.nll(model.decode(z), x) - kl)
    return _average(bounds)


class Reconstruction(NamedTuple):
    """The expected reconstruction error of images.

    Attributes:
        nats: E_q(z|x)[−log p(x|z)], nats per image; lower is better.
        standard_error: of this mean, from the spread between the images; NaN for a single one.
        n_images: how many were averaged.
    """

    nats: float
    standard_error: float
    n_images: int


@torch.no_grad()
def reconstruction(
    model: LatentModel,
    data: ImageDataset,
    indices: Int[Tensor, " n"],
    batch_size: int = 256,
    generator: torch.Generator | None = None,
) -> Reconstruction:
    """Estimate the reconstruction term of the ELBO over some images, one code drawn for each.

    Args:
        model: see :func:`elbo`.
        data: see :func:`elbo`.
        indices: see :func:`elbo`.
        batch_size: see :func:`elbo`.
        generator: see :func:`elbo`.

    Raises:
        ValueError: if there are no images.
    """
    errors = []
    for x in _batches(model, data, indices, batch_size):
        z = draw(model.encode(x), 1, generator)[0]
        errors.append(model.likelihood.nll(model.decode(z), x))
    mean, error, n = _average(errors)
    return Reconstruction(mean, error, n)


@torch.no_grad()
def importance_weighted_bound(
    model: LatentModel,
    data: ImageDataset,
    indices: Int[Tensor, " n"],
    particles: int = 5_000,
    batch_size: int = 2_500,
    generator: torch.Generator | None = None,
    progress: bool = True,
) -> Evidence:
    r"""The importance-weighted bound over some images: the tighter, the more particles.

    .. math:: \log \frac{1}{K} \sum_{k=1}^K \frac{p(x|z_k)\, p(z_k)}{q(z_k|x)}, \; z_k \sim q(z|x)

    One particle is the ELBO in expectation, infinitely many are log p(x). FactorVAE's paper has
    5,000. Each costs a pass of the decoder; at most ``batch_size`` images are decoded at once, so
    that memory does not grow with the particles or the images.

    Args:
        model: see :func:`elbo`.
        data: see :func:`elbo`.
        indices: see :func:`elbo`.
        particles: K, codes drawn per image.
        batch_size: codes decoded at once.
        generator: see :func:`elbo`.
        progress: show a progress bar.

    Raises:
        ValueError: no images, or less than one particle.

    Reference:
        Importance Weighted Autoencoders, Burda et al. 2016, https://arxiv.org/abs/1509.00519,
        equation 8; appendix E of FactorVAE, https://arxiv.org/abs/1802.05983.
    """
    if particles < 1:
        raise ValueError(f"particles must be at least 1, got {particles}")
    images_at_once = max(1, batch_size // particles)
    bounds = []
    with tqdm(total=len(indices), unit="image", disable=not progress) as bar:
        for x in _batches(model, data, indices, images_at_once):
            posterior = model.encode(x)
            log_sum = torch.full((len(x),), -torch.inf, dtype=torch.float64, device=x.device)
            for drawn in range(0, particles, batch_size):
                z = draw(posterior, min(batch_size, particles - drawn), generator)
                log_sum = torch.logaddexp(
                    log_sum, _log_weights(model, posterior, z, x).logsumexp(0)
                )
            bounds.append(log_sum - math.log(particles))
            bar.update(len(x))
    return _average(bounds)


def _log_weights(
    model: LatentModel,
    posterior: Any,
    z: Float[Tensor, "particles batch columns"],
    x: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "particles batch"]:
    """The log of p(x|z) p(z) / q(z|x), in float64: the sum is small, its parts are not."""
    copies = x.expand(len(z), *x.shape).flatten(0, 1)
    nll = model.likelihood.nll(model.decode(z.flatten(0, 1)), copies).unflatten(0, z.shape[:2])
    log_ratio = model.prior.log_prob(z).double() - posterior.log_prob(z).double()
    return log_ratio.sum(-1) - nll.double()


def _batches(
    model: LatentModel, data: ImageDataset, indices: Tensor, size: int
) -> Iterator[Tensor]:
    if len(indices) == 0:
        raise ValueError("a bound needs at least one image, got no indices")
    weight = next(model.parameters())
    for part in indices.split(size):
        yield data.floats(part).to(weight)


def _average(bounds: list[Tensor]) -> Evidence:
    values = torch.cat(bounds).double()
    n = len(values)
    error = values.std().item() / n**0.5 if n > 1 else math.nan
    return Evidence(values.mean().item(), error, n)
