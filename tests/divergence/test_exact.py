"""The exact decomposition and the minibatch estimators on 2,000 posteriors in 10 dimensions."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disvae.divergence import (
    decompose,
    density_ratio,
    exact_decomposition,
    measure_decomposition,
)

N, D, BATCH = 2000, 10, 64


@pytest.fixture(scope="module")
def toy():
    """Posteriors whose aggregate is dependent: ten dimensions made of five sources."""
    generator = torch.Generator().manual_seed(0)
    sources = torch.randn(N, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(N, 5, generator=generator, dtype=torch.float64)
    mean = torch.cat([0.95 * sources, 0.9 * sources + 0.3 * noise], dim=1)
    std = 0.1 + 0.3 * torch.rand(N, D, generator=generator, dtype=torch.float64)
    posterior = Normal(mean, std)
    z = mean + std * torch.randn(N, D, generator=generator, dtype=torch.float64)
    return posterior, z


@pytest.fixture(scope="module")
def truth(toy):
    return exact_decomposition(*toy)


def enumerate_terms(posterior, z):
    """Independent of the library: densities from the formula, one code at a time."""
    mean, std = posterior.loc, posterior.scale
    totals = torch.zeros(3, dtype=torch.float64)
    for i, code in enumerate(z):
        density = torch.exp(-0.5 * ((code - mean) / std) ** 2) / (std * (2 * torch.pi) ** 0.5)
        joint = density.prod(1).mean().log()
        marginals = density.mean(0).log().sum()
        own = density[i].log().sum()
        prior = (-0.5 * code**2 - 0.5 * torch.log(torch.tensor(2 * torch.pi))).sum()
        totals += torch.stack([own - joint, joint - marginals, marginals - prior])
    return totals / len(z)


def test_equals_enumeration(toy, truth) -> None:
    expected = enumerate_terms(*toy)
    torch.testing.assert_close(torch.stack(tuple(truth)), expected, rtol=0, atol=1e-4)
    assert (expected[:2] > 1).all()  # the toy has something to find


def test_float32_posteriors_too(toy, truth) -> None:
    posterior, z = toy
    single = Normal(posterior.loc.float(), posterior.scale.float())
    actual = exact_decomposition(single, z.float())
    torch.testing.assert_close(torch.stack(actual), torch.stack(truth), rtol=0, atol=1e-4)


def test_sums_to_the_monte_carlo_kl_and_to_the_closed_form(toy, truth) -> None:
    posterior, z = toy
    prior = Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64))
    per_image = (posterior.log_prob(z) - prior.log_prob(z)).sum(-1)
    assert truth.total.item() == pytest.approx(per_image.mean().item(), abs=1e-6)
    closed = kl_divergence(posterior, prior).sum(-1)
    standard_error = (per_image - closed).std().item() / N**0.5
    assert abs(truth.total.item() - closed.mean().item()) < 3 * standard_error


@pytest.mark.parametrize("block_size", [1, 7, 100, 5000])
def test_blocks_change_nothing(toy, block_size: int) -> None:
    posterior, z = toy
    part = Normal(posterior.loc[:100], posterior.scale[:100])
    expected = exact_decomposition(part, z[:100])
    actual = exact_decomposition(part, z[:100], block_size=block_size)
    torch.testing.assert_close(torch.stack(actual), torch.stack(expected), rtol=0, atol=1e-12)


def average_estimate(toy, estimator):
    posterior, z = toy
    generator = torch.Generator().manual_seed(1)
    estimates = []
    for _ in range(100):
        rows = torch.randperm(N, generator=generator)[:BATCH]
        q = Normal(posterior.loc[rows], posterior.scale[rows])
        estimates.append(torch.stack(decompose(q, z[rows], N, estimator)))
    return torch.stack(estimates).mean(0)


def test_stratified_is_closer_to_the_truth_than_weighted(toy, truth) -> None:
    exact = torch.stack(truth)
    weighted = (average_estimate(toy, "mws") - exact).abs()
    stratified = (average_estimate(toy, "mss") - exact).abs()
    assert (stratified < 0.5 * weighted).all()


@pytest.mark.parametrize("estimator", ["mws", "mss"])
def test_terms_of_an_estimate_telescope(toy, estimator) -> None:
    posterior, z = toy
    q = Normal(posterior.loc[:BATCH], posterior.scale[:BATCH])
    prior = Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64))
    expected = (q.log_prob(z[:BATCH]) - prior.log_prob(z[:BATCH])).sum(-1).mean()
    assert decompose(q, z[:BATCH], N, estimator).total.item() == pytest.approx(expected.item())


def test_stratified_on_the_whole_data_set_is_nearly_exact(toy) -> None:
    # With M = N one other image weighs 1 / (N (N - 1)) instead of 1 / N: nothing else is amiss.
    posterior, z = toy
    q = Normal(posterior.loc[:300], posterior.scale[:300])
    exact = exact_decomposition(q, z[:300])
    whole = decompose(q, z[:300], 300, "mss")
    torch.testing.assert_close(torch.stack(whole), torch.stack(exact), rtol=0, atol=0.05)


def test_collapsed_posterior(toy) -> None:
    # All posteriors equal the prior: each exact term is 0, and MWS reads (D - 1)·log N as its TC.
    q = Normal(torch.zeros(200, D), torch.ones(200, D))
    torch.manual_seed(0)
    z = q.sample()
    exact = torch.stack(exact_decomposition(q, z))
    torch.testing.assert_close(exact, torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-5)
    weighted = decompose(q, z, 200, "mws").total_correlation
    assert weighted.item() == pytest.approx((D - 1) * math.log(200), rel=1e-4)
    stratified = decompose(q, z, 200, "mss").total_correlation
    assert stratified.item() == pytest.approx(0.0, abs=1e-4)


def test_same_generator_same_result(toy) -> None:
    posterior, _ = toy
    part = Normal(posterior.loc[:50], posterior.scale[:50])
    state = torch.random.get_rng_state()
    a, b, c = (
        exact_decomposition(part, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    )
    assert a == b
    assert a != c
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("loc", "z", "arguments", "message"),
    [
        (torch.zeros(5, 2), torch.zeros(4, 2), {}, "same shape"),
        (torch.zeros(0, 2), torch.zeros(0, 2), {}, "same shape"),
        (torch.zeros(5), torch.zeros(5), {}, "same shape"),
        (torch.full((5, 2), torch.nan), torch.zeros(5, 2), {}, "NaN or infinite"),
        (torch.zeros(5, 2), torch.full((5, 2), torch.inf), {}, "NaN or infinite"),
        (torch.zeros(5, 2), torch.zeros(5, 2), {"block_size": 0}, "block_size"),
    ],
)
@pytest.mark.untyped
def test_exact_refuses(loc, z, arguments, message) -> None:
    q = Normal(loc, torch.ones_like(loc), validate_args=False)
    with pytest.raises(ValueError, match=message):
        exact_decomposition(q, z, **arguments)


@pytest.mark.parametrize(
    ("n_codes", "dataset_size", "estimator", "message"),
    [
        (4, 10, "mws", "same shape"),
        (5, 4, "mws", "whole training set"),
        (5, 4, "jackknife", "whole training set"),
        (5, 0, "mws", "at least 1"),
        (5, 10, "MSS", "unknown estimator 'MSS'"),
    ],
)
def test_decompose_refuses(n_codes, dataset_size, estimator, message) -> None:
    q = Normal(torch.zeros(5, 2), torch.ones(5, 2))
    with pytest.raises(ValueError, match=message):
        decompose(q, torch.zeros(n_codes, 2), dataset_size, estimator)


def test_stratified_needs_two_images() -> None:
    q = Normal(torch.zeros(1, 2), torch.ones(1, 2))
    with pytest.raises(ValueError, match="at least 2 images"):
        decompose(q, torch.zeros(1, 2), 10, "mss")


def test_density_ratio_of_the_true_ratio_is_the_total_correlation() -> None:
    # A correlated pair of Gaussians has TC = -log(1 - rho²) / 2; its true log-ratio is quadratic.
    rho, n = 0.8, 200_000
    torch.manual_seed(0)
    a, b = torch.randn(2, n, dtype=torch.float64)
    z = torch.stack([a, rho * a + (1 - rho**2) ** 0.5 * b], dim=1)

    def true_discriminator(z):
        x, y = z.unbind(1)
        quadratic = (x**2 - 2 * rho * x * y + y**2) / (1 - rho**2) - x**2 - y**2
        log_ratio = -0.5 * quadratic - 0.5 * torch.log(torch.tensor(1 - rho**2))
        return torch.stack([0.5 * log_ratio, -0.5 * log_ratio], dim=1)

    truth = -0.5 * torch.log(torch.tensor(1 - rho**2)).item()
    assert density_ratio(true_discriminator, z).item() == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_exact_refuses_scales_that_are_not_positive(scale) -> None:
    q = Normal(torch.zeros(5, 2), torch.full((5, 2), scale), validate_args=False)
    with pytest.raises(ValueError, match="a scale that is not positive"):
        exact_decomposition(q, torch.zeros(5, 2))


def measure(q, n_codes, seed=0, **arguments):
    generator = torch.Generator().manual_seed(seed)
    return measure_decomposition(q, n_codes, generator=generator, progress=False, **arguments)


def test_measured_at_some_codes_is_the_truth_within_its_standard_error(toy, truth) -> None:
    posterior, _ = toy
    measured = measure(posterior, 400)
    assert (measured.n_codes, measured.n_images) == (400, N)
    for mean, error, expected in zip(*measured[:2], truth, strict=True):
        assert 0 < error < 0.3
        assert abs(mean - expected) < 4 * error + 0.1  # other draws of the codes


def test_standard_error_is_the_spread_between_repetitions(toy) -> None:
    posterior, _ = toy
    runs = [measure(posterior, 100, seed) for seed in range(30)]
    spread = torch.tensor([run.mean for run in runs]).std(0)
    reported = torch.tensor([run.standard_error for run in runs]).mean(0)
    torch.testing.assert_close(reported, spread, rtol=0.4, atol=1e-3)


def test_measured_at_every_code_is_exact(toy) -> None:
    posterior, _ = toy
    part = Normal(posterior.loc[:200], posterior.scale[:200])
    measured = measure(part, 10_000, block_size=33)
    assert measured.n_codes == 200
    again = torch.Generator().manual_seed(0)
    rows = torch.randperm(200, generator=again)
    noise = torch.randn(200, D, generator=again, dtype=torch.float64)
    z = torch.empty_like(noise)
    z[rows] = part.loc[rows] + part.scale[rows] * noise
    torch.testing.assert_close(
        torch.stack(measured.mean), torch.stack(exact_decomposition(part, z))
    )


def test_memory_does_not_grow_with_the_codes_times_the_images() -> None:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                self.numel = max(self.numel, result.numel())
            return result

    q = Normal(torch.zeros(3000, 2), torch.ones(3000, 2))
    with Largest() as largest:
        measure(q, 500, block_size=50)
    assert 50 * 50 * 2 <= largest.numel <= 3000 * 2  # a block's densities; no N times n_codes


def test_one_code_has_no_standard_error() -> None:
    q = Normal(torch.zeros(5, 2), torch.ones(5, 2))
    assert all(math.isnan(error) for error in measure(q, 1).standard_error)
    with pytest.raises(ValueError, match="n_codes must be at least 1, got 0"):
        measure(q, 0)
