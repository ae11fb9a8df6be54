"""The jackknife estimator: against its definition, and against the truth beside the others."""

import pytest
import torch
from torch.distributions import Normal

from disvae.divergence import (
    MinibatchJackknife,
    MinibatchStratified,
    decompose,
    exact_decomposition,
)

N, D, BATCH = 2000, 10, 64


def by_loops(log_q, n):
    """The definition, one row and one left-out image at a time."""
    m = len(log_q)
    rows = []
    for i in range(m):
        others = [log_q[i, j].exp() for j in range(m) if j != i]
        own = log_q[i, i].exp() / n

        def log_density(densities, own=own):
            return (own + (1 - 1 / n) * sum(densities) / len(densities)).log()

        full = log_density(others)
        without = [log_density(others[:j] + others[j + 1 :]) for j in range(m - 1)]
        bias = (m - 2) * (sum(without) / (m - 1) - full)
        rows.append(full - (1 - (m - 1) / (n - 1)) * bias)
    return torch.stack(rows)


@pytest.mark.parametrize("shape", [(6, 6), (6, 6, 3), (3, 3)])
def test_equals_its_definition(shape) -> None:
    torch.manual_seed(0)
    log_q = torch.randn(shape, dtype=torch.float64).requires_grad_()
    actual, expected = MinibatchJackknife(50).log_average(log_q), by_loops(log_q, 50)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        *(torch.autograd.grad(value.sum(), log_q)[0] for value in (actual, expected)),
        rtol=0,
        atol=1e-10,
    )


def test_density_before_the_correction_is_unbiased() -> None:
    # Every choice of the other images, enumerated: the weights alone give q(z) on average.
    from itertools import combinations

    n, m = 6, 4
    density = torch.rand(n, dtype=torch.float64)
    estimates = [
        density[0] / n + (1 - 1 / n) * density[list(others)].mean()
        for others in combinations(range(1, n), m - 1)
    ]
    torch.testing.assert_close(torch.stack(estimates).mean(), density.mean())


def test_whole_data_set_is_exact() -> None:
    torch.manual_seed(0)
    q = Normal(torch.randn(40, 3, dtype=torch.float64), 0.3 * torch.ones(40, 3).double())
    z = q.sample()
    expected = torch.stack(exact_decomposition(q, z))
    actual = torch.stack(decompose(q, z, 40, "jackknife"))
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


def toy(std):
    """Posteriors that are all told apart, at 0.217 with the terms 7.6, 7.7 and 0.03 nats."""
    generator = torch.Generator().manual_seed(0)
    mean = (1 - std**2) ** 0.5 * torch.randn(N, D, generator=generator, dtype=torch.float64)
    z = mean + std * torch.randn(N, D, generator=generator, dtype=torch.float64)
    return Normal(mean, torch.full_like(mean, std)), z


def estimates(q, z, estimator, batches=100):
    generator = torch.Generator().manual_seed(1)
    rows = [torch.randperm(N, generator=generator)[:BATCH] for _ in range(batches)]
    return torch.stack([torch.stack(estimator(Normal(q.loc[b], q.scale[b]), z[b])) for b in rows])


def test_default_estimate_is_within_fifteen_percent_of_the_total_correlation() -> None:
    q, z = toy(0.217)
    truth = exact_decomposition(q, z).total_correlation
    mean = estimates(q, z, lambda q, z: decompose(q, z, N)).mean(0)[1]
    assert mean == pytest.approx(truth.item(), rel=0.15)
    assert mean == pytest.approx(truth.item(), rel=0.02)  # and it does better than it must


def test_error_is_half_of_the_stratified_one() -> None:
    # Root mean squared error of one batch, noise of the draws included.
    q, z = toy(0.217)
    truth = torch.stack(exact_decomposition(q, z))
    jackknife, stratified = (
        (estimates(q, z, estimator(N)) - truth).square().mean(0).sqrt()
        for estimator in (MinibatchJackknife, MinibatchStratified)
    )
    assert (jackknife[1:] < 0.55 * stratified[1:]).all()
    assert jackknife[0] < 0.02  # of 7.6: all images are told apart, which both see


@pytest.mark.parametrize("std", [0.05, 0.4, 0.7, 0.9])
def test_bias_of_information_and_marginals_is_less_than_the_stratified(std) -> None:
    q, z = toy(std)
    truth = torch.stack(exact_decomposition(q, z))
    jackknife, stratified = (
        (estimates(q, z, estimator(N)).mean(0) - truth).abs()
        for estimator in (MinibatchJackknife, MinibatchStratified)
    )
    assert (jackknife[[0, 2]] <= stratified[[0, 2]] + 1e-6).all()
    assert jackknife[2] < 0.5 * stratified[2]


def test_collapsed_posterior_reads_zero() -> None:
    q = Normal(torch.zeros(20, D), torch.ones(20, D))
    terms = torch.stack(decompose(q, q.sample(), 1000, "jackknife"))
    torch.testing.assert_close(terms[:2], torch.zeros(2), rtol=0, atol=1e-4)


@pytest.mark.parametrize("std", [1e-4, 1.0, 1e4])
def test_finite_in_single_precision(std) -> None:
    # One neighbour far wider or narrower than all: leaving it out leaves next to nothing.
    loc = torch.zeros(8, D, requires_grad=True)
    scale = torch.ones(8, D)
    scale[0] = std
    q = Normal(loc, scale)
    torch.manual_seed(0)
    value = decompose(q, q.rsample(), 10_000, "jackknife").total_correlation
    value.backward()
    assert value.isfinite()
    assert loc.grad.isfinite().all()


def test_needs_three_images() -> None:
    q = Normal(torch.zeros(2, 2), torch.ones(2, 2))
    with pytest.raises(ValueError, match="at least 3 images"):
        decompose(q, torch.zeros(2, 2), 10, "jackknife")
