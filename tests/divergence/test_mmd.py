"""The maximum mean discrepancy against sampling, and against its definition by loops."""

import math

import pytest
import torch
from torch.distributions import Normal

from disvae.divergence import maximum_mean_discrepancy

PRIOR = Normal(torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))


def kernel(a, b, bandwidth):
    return torch.exp(-(a - b).square().sum(-1) / (2 * bandwidth**2))


def test_equals_the_definition_with_the_prior_sampled() -> None:
    torch.manual_seed(0)
    z = 0.5 + 0.7 * torch.randn(6, 3, dtype=torch.float64)
    draws = PRIOR.sample((400_000,))
    within = [kernel(z[i], z[j], 1.5) for i in range(6) for j in range(6) if i != j]
    to_prior = torch.stack([kernel(code, draws, 1.5).mean() for code in z]).mean()
    within_prior = kernel(draws[:200_000], draws[200_000:], 1.5).mean()
    expected = torch.stack(within).mean() - 2 * to_prior + within_prior
    actual = maximum_mean_discrepancy(z, PRIOR, 1.5)
    assert actual.item() == pytest.approx(expected.item(), abs=2e-3)


def test_prior_of_another_place_and_spread() -> None:
    torch.manual_seed(0)
    z = torch.randn(6, 3, dtype=torch.float64)
    prior = Normal(torch.full((3,), 2.0).double(), torch.full((3,), 0.5).double())
    draws = prior.sample((400_000,))
    within = (kernel(z[:, None], z, 1.0).sum() - 6) / 30
    expected = (
        within
        - 2 * torch.stack([kernel(code, draws, 1.0).mean() for code in z]).mean()
        + kernel(draws[:200_000], draws[200_000:], 1.0).mean()
    )
    actual = maximum_mean_discrepancy(z, prior, 1.0)
    assert actual.item() == pytest.approx(expected.item(), abs=2e-3)


def test_unbiased_at_the_prior_and_positive_elsewhere() -> None:
    torch.manual_seed(0)
    at_prior = torch.stack(
        [maximum_mean_discrepancy(PRIOR.sample((16,)), PRIOR, 1.0) for _ in range(4000)]
    )
    assert abs(at_prior.mean().item()) < 3 * at_prior.std().item() / math.sqrt(4000)
    assert (at_prior < 0).any()  # unbiased, hence at times below zero
    elsewhere = maximum_mean_discrepancy(3.0 + PRIOR.sample((16,)), PRIOR, 1.0)
    assert elsewhere > 0.1


def test_gradient() -> None:
    torch.manual_seed(0)
    z = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: maximum_mean_discrepancy(z, PRIOR, 1.2), z)


@pytest.mark.parametrize(
    ("n", "bandwidth", "message"),
    [(1, 1.0, "at least 2 codes, got 1"), (4, 0.0, "positive"), (4, math.nan, "positive")],
)
def test_refuses(n, bandwidth, message) -> None:
    with pytest.raises(ValueError, match=message):
        maximum_mean_discrepancy(torch.zeros(n, 3, dtype=torch.float64), PRIOR, bandwidth)
