"""Bounds against a model whose evidence is known: a linear decoder with Gaussian pixels."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal

from disvae import VAE
from disvae.data import ImageArray
from disvae.divergence import kl_per_dimension
from disvae.likelihoods import Gaussian
from disvae.training import elbo, encode_posteriors, importance_weighted_bound, reconstruction

N_IMAGES, N_PIXELS, STD = 40, 4, 0.3
# Orthogonal columns, so that the true posterior is Gaussian with a diagonal covariance.
WEIGHT = torch.tensor([[1.0, 0.5], [1.0, -0.5], [1.0, 0.5], [1.0, -0.5]], dtype=torch.float64)


def make_model(shift: float = 0.0, widen: float = 1.0) -> VAE:
    """The encoder is the true posterior, its means shifted and its deviations widened."""
    precision = 1 + WEIGHT.square().sum(0) / STD**2
    encoder, decoder = nn.Linear(N_PIXELS, 4).double(), nn.Linear(2, N_PIXELS).double()
    with torch.no_grad():
        decoder.weight.copy_(WEIGHT)
        decoder.bias.fill_(0.4)
        mean = WEIGHT.T / STD**2 / precision[:, None]
        encoder.weight.copy_(torch.cat([mean, torch.zeros_like(mean)]))
        log_var = -precision.log() + 2 * math.log(widen)
        encoder.bias.copy_(torch.cat([shift - 0.4 * mean.sum(1), log_var]))
    return VAE(
        nn.Sequential(nn.Flatten(), encoder),
        nn.Sequential(decoder, nn.Unflatten(1, (1, 2, 2))),
        latent_dim=2,
        likelihood=Gaussian(STD),
    ).double()


@pytest.fixture(scope="module")
def data() -> ImageArray:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (N_IMAGES, 1, 2, 2), generator=generator)
    return ImageArray(images.to(torch.uint8))


@pytest.fixture(scope="module")
def evidence(data) -> torch.Tensor:
    x = data.images(torch.arange(N_IMAGES)).flatten(1).double() / 255
    covariance = WEIGHT @ WEIGHT.T + STD**2 * torch.eye(N_PIXELS, dtype=torch.float64)
    mean = torch.full((N_PIXELS,), 0.4, dtype=torch.float64)
    return MultivariateNormal(mean, covariance).log_prob(x)


EVERYTHING = torch.arange(N_IMAGES)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("particles", [1, 7])
def test_the_true_posterior_gives_the_evidence(data, evidence, particles) -> None:
    # every importance weight is then p(x) itself
    bound = importance_weighted_bound(make_model(), data, EVERYTHING, particles, progress=False)
    assert bound.bound == pytest.approx(evidence.mean().item(), abs=1e-6)
    assert bound.standard_error == pytest.approx((evidence.std() / N_IMAGES**0.5).item(), rel=1e-6)
    assert bound.n_images == N_IMAGES


def test_more_particles_are_tighter(data, evidence) -> None:
    model = make_model(shift=0.2, widen=1.5)
    bounds = [
        importance_weighted_bound(
            model, data, EVERYTHING, particles, generator=seeded(), progress=False
        ).bound
        for particles in (1, 20, 5_000)
    ]
    assert bounds[0] < bounds[1] - 0.1
    assert bounds[1] < bounds[2]
    assert bounds[2] == pytest.approx(evidence.mean().item(), abs=0.02)


def test_elbo_is_the_evidence_less_the_gap_of_the_posterior(data, evidence) -> None:
    # ELBO = log p(x) - KL(q(z|x) || p(z|x)), here the same for every image
    shift, widen = 0.2, 1.5
    precision = 1 + WEIGHT.square().sum(0) / STD**2
    gap = 0.5 * (widen**2 - 1 - 2 * math.log(widen) + shift**2 * precision).sum()
    draws = [
        elbo(make_model(shift, widen), data, EVERYTHING, generator=seeded(seed)).bound
        for seed in range(200)
    ]
    spread = torch.tensor(draws).std().item() / len(draws) ** 0.5
    assert sum(draws) / len(draws) == pytest.approx((evidence.mean() - gap).item(), abs=4 * spread)


def test_the_size_of_a_batch_changes_nothing(data) -> None:
    model = make_model(shift=0.1)

    def bound(batch_size):
        return importance_weighted_bound(
            model, data, EVERYTHING[:5], 2_000, batch_size, seeded(), progress=False
        )

    # other draws where the batches differ, so equal within their small error only
    assert bound(10**9).bound == pytest.approx(bound(64).bound, abs=0.02)
    assert bound(64) == bound(64)
    state = torch.random.get_rng_state()
    elbo(model, data, EVERYTHING, generator=seeded())
    assert torch.equal(state, torch.random.get_rng_state())


def test_one_image_has_no_standard_error(data) -> None:
    assert math.isnan(elbo(make_model(), data, EVERYTHING[:1]).standard_error)


def test_a_bound_needs_images_and_particles(data) -> None:
    with pytest.raises(ValueError, match="at least one image"):
        elbo(make_model(), data, EVERYTHING[:0])
    with pytest.raises(ValueError, match="particles must be at least 1"):
        importance_weighted_bound(make_model(), data, EVERYTHING, particles=0)


def test_reconstruction_and_kl_add_up_to_the_negative_elbo(data) -> None:
    model = make_model(shift=0.1, widen=1.3)
    error = reconstruction(model, data, EVERYTHING, generator=seeded())
    posterior = encode_posteriors(model, data, progress=False)
    kl = kl_per_dimension(posterior, model.prior).sum(1).mean().item()
    bound = elbo(model, data, EVERYTHING, generator=seeded()).bound
    assert error.nats + kl == pytest.approx(-bound, rel=1e-6)
    assert error.n_images == N_IMAGES


def test_reconstruction_of_the_exact_posterior_is_its_expectation(data) -> None:
    # E[−log p(x|z)] of a linear decoder: the error of the mean, the spread of z, and the constant.
    model = make_model()
    x = data.images(EVERYTHING).flatten(1).double() / 255
    precision = 1 + WEIGHT.square().sum(0) / STD**2
    mean = (x - 0.4) @ WEIGHT / STD**2 / precision
    squares = (x - 0.4 - mean @ WEIGHT.T).square().sum(1) + (WEIGHT.square() / precision).sum()
    expected = squares / (2 * STD**2) + N_PIXELS * math.log(STD * math.sqrt(2 * math.pi))
    draws = [reconstruction(model, data, EVERYTHING, generator=seeded(s)).nats for s in range(200)]
    error = torch.tensor(draws).std().item() / len(draws) ** 0.5
    assert sum(draws) / len(draws) == pytest.approx(expected.mean().item(), abs=5 * error)
