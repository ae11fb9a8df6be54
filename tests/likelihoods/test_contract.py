"""Likelihoods against torch.distributions, and as densities that integrate to 1."""

import math

import numpy as np
import pytest
import torch
from torch import distributions

from disvae import BurgessVAE, VAELoss
from disvae.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretizedLogistic,
    Gaussian,
    Laplace,
    LearnedGaussian,
    Likelihood,
    Sigmoid,
    SquaredError,
    StructuralSimilarity,
    Tanh,
)
from disvae.spec import build, describe

SHAPE = (3, 2, 4, 5)
CASES = [
    (Bernoulli(), lambda p: distributions.Bernoulli(logits=p, validate_args=False)),
    (Gaussian(0.3), lambda p: distributions.Normal(p, 0.3)),
    (Gaussian(), lambda p: distributions.Normal(p, 1.0)),
    (LearnedGaussian(0.3).double(), lambda p: distributions.Normal(p, 0.3)),
    (Sigmoid(Gaussian(0.3)), lambda p: distributions.Normal(p.sigmoid(), 0.3)),
    (Laplace(0.2), lambda p: distributions.Laplace(p, 0.2)),
]


@pytest.fixture
def parameters_and_images():
    torch.manual_seed(0)
    return torch.randn(SHAPE, dtype=torch.float64), torch.rand(SHAPE, dtype=torch.float64)


@pytest.mark.parametrize(("likelihood", "distribution"), CASES)
def test_nll_is_that_of_the_distribution(likelihood, distribution, parameters_and_images) -> None:
    parameters, x = parameters_and_images
    q = distribution(parameters)
    expected = -q.log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(likelihood.nll(parameters, x), expected)
    torch.testing.assert_close(likelihood.mean(parameters), q.mean)


@pytest.mark.parametrize("likelihood", [Gaussian(0.3), Laplace(0.2)])
def test_density_integrates_to_one(likelihood) -> None:
    grid = torch.linspace(-10, 10, 20_001, dtype=torch.float64).reshape(-1, 1, 1, 1)
    density = (-likelihood.nll(torch.full_like(grid, 0.4), grid)).exp()
    assert torch.trapezoid(density, dx=0.001).item() == pytest.approx(1.0, abs=1e-5)


def test_bernoulli_masses_sum_to_one() -> None:
    logit = torch.full((2, 1, 1, 1), 0.7, dtype=torch.float64)
    both = torch.tensor([0.0, 1.0], dtype=torch.float64).reshape(2, 1, 1, 1)
    assert (-Bernoulli().nll(logit, both)).exp().sum().item() == pytest.approx(1.0)


def test_squared_error_is_a_gaussian_without_its_constant(parameters_and_images) -> None:
    parameters, x = parameters_and_images
    n_pixels = math.prod(SHAPE[1:])
    with_constant = Gaussian(math.sqrt(0.5)).nll(parameters, x)
    without = SquaredError().nll(parameters, x)
    torch.testing.assert_close(
        with_constant - without, 0 * without + n_pixels / 2 * math.log(math.pi)
    )
    torch.testing.assert_close(without, ((x - parameters) ** 2).sum((1, 2, 3)))
    assert SquaredError().mean(parameters) is parameters


@pytest.mark.parametrize("logit", [-25.0, -3.0, -0.011, -0.009, 0.0, 1e-5, 0.0099, 2.0, 40.0])
def test_continuous_bernoulli_is_a_density_with_its_mean(logit) -> None:
    likelihood = ContinuousBernoulli()
    # Gauss-Legendre nodes: exact to rounding for a density this smooth
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x = torch.from_numpy(nodes / 2 + 0.5).reshape(-1, 1, 1, 1)
    logits = torch.full_like(x, logit).requires_grad_()
    mass = (-likelihood.nll(logits, x)).exp() * torch.from_numpy(weights) / 2
    assert mass.sum().item() == pytest.approx(1.0, abs=1e-9)
    mean = (mass * x.flatten()).sum().item()
    assert likelihood.mean(logits)[0].item() == pytest.approx(mean, abs=1e-8)
    # the gradient of a sum of E[x]-centred terms: dNLL/dlogit = mean - x
    slope = torch.autograd.grad(likelihood.nll(logits, x).sum(), logits)[0]
    torch.testing.assert_close(slope, mean - x, atol=1e-4, rtol=0)


@pytest.mark.parametrize("location", [-3.0, 0.0, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("likelihood", [DiscretizedLogistic(), DiscretizedLogistic(0.3, levels=2)])
def test_masses_of_all_levels_sum_to_one(likelihood, location) -> None:
    levels = torch.linspace(0, 1, likelihood.levels, dtype=torch.float64).reshape(-1, 1, 1, 1)
    masses = (-likelihood.nll(torch.full_like(levels, location), levels)).exp()
    assert masses.sum().item() == pytest.approx(1.0, abs=1e-12)


def test_discretized_logistic_is_the_mass_around_a_level() -> None:
    location, scale, level = 0.4, 0.02, 97 / 255

    def below(x):
        return 1 / (1 + math.exp(-(x - location) / scale))

    mass = below(level + 0.5 / 255) - below(level - 0.5 / 255)
    image = torch.full((1, 1, 1, 1), level, dtype=torch.float64)
    nll = DiscretizedLogistic(scale).nll(torch.full_like(image, location), image)
    assert nll.item() == pytest.approx(-math.log(mass), rel=1e-10)
    nearly = DiscretizedLogistic(scale).nll(torch.full_like(image, location), image + 0.4 / 255)
    assert torch.equal(nll, nearly)


def test_discretized_logistic_is_finite_far_away() -> None:
    location = torch.tensor([-400.0, 300.0]).reshape(2, 1, 1, 1).requires_grad_()
    x = torch.tensor([1.0, 0.5]).reshape(2, 1, 1, 1)
    likelihood = DiscretizedLogistic(0.05)
    nll = likelihood.nll(location, x)
    assert torch.isfinite(nll).all()
    assert torch.autograd.grad(nll.sum(), location)[0].flatten().tolist() == [-20.0, 20.0]
    assert likelihood.mean(location).flatten().tolist() == [0.0, 1.0]


ALL = [
    Bernoulli(),
    ContinuousBernoulli(),
    DiscretizedLogistic(),
    Gaussian(),
    Gaussian(0.5, data_range=(-1.0, 1.0)),
    Laplace(),
    LearnedGaussian(0.5),
    Sigmoid(Laplace(0.2)),
    SquaredError(),
    StructuralSimilarity(Sigmoid(SquaredError()), weight=30.0),
    Tanh(LearnedGaussian(0.5, data_range=(-1.0, 1.0))),
]


@pytest.mark.parametrize("likelihood", ALL)
def test_half_precision_is_summed_in_single(likelihood) -> None:
    parameters = torch.randn(2, 3, 64, 64).bfloat16()
    x = torch.rand(2, 3, 64, 64)
    actual = likelihood.nll(parameters, x)
    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual, likelihood.nll(parameters.double(), x.double()).float())


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([-500.0, 500.0]).reshape(2, 1, 1, 1).requires_grad_()
    loss = Bernoulli().nll(logits, torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1))
    assert loss.tolist() == [500.0, 500.0]
    loss.sum().backward()
    assert logits.grad.flatten().tolist() == [-1.0, 1.0]


@pytest.mark.untyped
def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2, 1, 8, 8\) for images of shape \(2, 1, 9, 9\)"):
        Bernoulli().nll(torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 9, 9))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gaussian(0.0),
        lambda: Laplace(-1.0),
        lambda: LearnedGaussian(0.0),
        lambda: DiscretizedLogistic(0.0),
    ],
)
def test_scales_must_be_positive(make) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        make()


def test_one_level_is_no_likelihood() -> None:
    with pytest.raises(ValueError, match="levels must be at least 2"):
        DiscretizedLogistic(levels=1)


@pytest.mark.parametrize("likelihood", ALL)
def test_description_builds_the_same(likelihood) -> None:
    copy = build(describe(likelihood), Likelihood)
    assert type(copy) is type(likelihood)
    assert describe(copy) == describe(likelihood)
    parameters, x = torch.randn(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    assert torch.equal(copy.nll(parameters, x), likelihood.nll(parameters, x))


@pytest.mark.parametrize("likelihood", ALL)
def test_mean_is_an_image_and_nll_a_number_each(likelihood) -> None:
    parameters, x = torch.randn(3, 2, 16, 16), torch.rand(3, 2, 16, 16)
    assert likelihood.mean(parameters).shape == x.shape
    together = likelihood.nll(parameters, x)
    alone = torch.cat([likelihood.nll(parameters[i : i + 1], x[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("likelihood", ALL)
def test_works_in_a_model_as_its_loss_wants_it(likelihood) -> None:
    torch.manual_seed(0)
    model, x = (
        BurgessVAE((1, 16, 16), latent_dim=3, likelihood=likelihood),
        torch.rand(4, 1, 16, 16),
    )
    for enabled in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output = VAELoss()(model, x)
        output.loss.backward()
        assert output.loss.isfinite()
        for name, parameter in model.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
