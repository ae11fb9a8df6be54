"""The weights of the minibatch estimators, and what they estimate."""

from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from disvae.divergence import (
    ESTIMATORS,
    BatchEstimate,
    MinibatchStratified,
    MinibatchWeighted,
    decompose,
    permute_dims,
)
from disvae.divergence.density_ratio import discriminator_loss


@given(m=st.integers(2, 40), extra=st.integers(0, 10_000))
def test_stratified_rows_sum_to_one(m: int, extra: int) -> None:
    n = m + extra
    weights = MinibatchStratified(n).log_weights(m, torch.zeros(1, dtype=torch.float64)).exp()
    torch.testing.assert_close(weights.sum(1), torch.ones(m, dtype=torch.float64))
    torch.testing.assert_close(weights.diagonal(), torch.full((m,), 1 / n, dtype=torch.float64))
    # One other image per row, and no image favoured over the rows: the columns are alike too.
    torch.testing.assert_close(weights.sum(0), torch.ones(m, dtype=torch.float64))


def test_stratified_density_is_unbiased() -> None:
    # Over all batches that hold image 0, the weighted density averages to q(z): enumerated.
    n, m = 6, 3
    generator = torch.Generator().manual_seed(0)
    density = torch.rand(n, generator=generator, dtype=torch.float64)  # q(z|x_j) at one z
    weights = MinibatchStratified(n).log_weights(m, density).exp()
    estimates = []
    for others in combinations(range(1, n), m - 1):
        for order in (others, others[::-1]):
            estimates.append((weights[0] * density[[0, *order]]).sum())
    torch.testing.assert_close(torch.stack(estimates).mean(), density.mean())


def test_weighted_is_constant() -> None:
    log_q = torch.randn(4, 4, dtype=torch.float64)
    density = MinibatchWeighted(100).log_average(log_q).exp()
    torch.testing.assert_close(density, log_q.exp().sum(1) / 400)


def test_gradient_of_weighted_does_not_depend_on_the_data_set_size() -> None:
    gradients = []
    for n in (8, 1_000_000):
        loc = torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(8, 2).requires_grad_()
        q = Normal(loc, torch.full_like(loc, 0.5))
        torch.manual_seed(0)
        decompose(q, q.rsample(), n, "mws").total_correlation.backward()
        gradients.append(loc.grad)
    torch.testing.assert_close(*gradients)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), estimator=st.sampled_from(sorted(ESTIMATORS)))
def test_order_of_dimensions_and_their_sign_change_nothing(seed: int, estimator: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    loc, z = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64)
    scale = 0.1 + torch.rand(6, 4, generator=generator, dtype=torch.float64)
    order = torch.randperm(4, generator=generator)
    expected = decompose(Normal(loc, scale), z, 50, estimator)
    turned = decompose(Normal(-loc[:, order], scale[:, order]), -z[:, order], 50, estimator)
    torch.testing.assert_close(torch.stack(turned), torch.stack(expected))


@pytest.mark.parametrize("estimator", sorted(ESTIMATORS))
def test_decomposition_is_differentiable(estimator) -> None:
    loc = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    log_var = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(5, 3, dtype=torch.float64)

    def terms(loc, log_var):
        scale = (0.5 * log_var).exp()
        return torch.stack(decompose(Normal(loc, scale), loc + scale * noise, 50, estimator))

    assert torch.autograd.gradcheck(terms, (loc, log_var))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), n=st.integers(2, 20))
def test_permutation_keeps_each_dimension(seed: int, n: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 5, generator=generator)
    permuted = permute_dims(z, generator)
    assert torch.equal(permuted.sort(0).values, z.sort(0).values)


def test_permutations_are_uniform_and_independent_between_dimensions() -> None:
    # Every one of the 6 × 6 pairs of orders of 3 codes in 2 dimensions comes up as often.
    z = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    generator = torch.Generator().manual_seed(0)
    n = 7200
    counts: dict[tuple, int] = {}
    for _ in range(n):
        key = tuple(permute_dims(z, generator).flatten().tolist())
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 36
    chi_squared = sum((count - n / 36) ** 2 / (n / 36) for count in counts.values())
    assert chi_squared < 66.6  # 0.999 quantile at 35 degrees of freedom


def test_one_code_cannot_be_permuted() -> None:
    with pytest.raises(ValueError, match="at least 2 codes, got 1"):
        permute_dims(torch.zeros(1, 3))


def test_blind_discriminator_pays_log_two() -> None:
    codes = torch.randn(10, 3)
    loss = discriminator_loss(lambda z: torch.zeros(len(z), 2), codes, codes)
    assert loss.item() == pytest.approx(0.693147, abs=1e-5)


def test_batch_estimate_is_the_average_over_the_others() -> None:
    torch.manual_seed(0)
    log_q = torch.randn(5, 5, 3, dtype=torch.float64)
    expected = [
        [log_q[i, [j for j in range(5) if j != i], d].exp().mean().log() for d in range(3)]
        for i in range(5)
    ]
    torch.testing.assert_close(BatchEstimate().log_average(log_q), torch.tensor(expected).double())


def test_batch_estimate_of_narrow_posteriors_is_hugely_negative() -> None:
    # Appendix D: a total correlation, which cannot be negative, falls as the posteriors narrow.
    torch.manual_seed(0)
    loc = torch.randn(64, 10, dtype=torch.float64)
    estimates = []
    for std in (0.5, 0.2, 0.1):
        q = Normal(loc, torch.full_like(loc, std))
        estimates.append(BatchEstimate()(q, q.sample()).total_correlation.item())
    assert estimates == sorted(estimates, reverse=True)
    assert estimates[-1] < -100


def test_batch_estimate_needs_two_images() -> None:
    q = Normal(torch.zeros(1, 2), torch.ones(1, 2))
    with pytest.raises(ValueError, match="at least 2, got 1"):
        BatchEstimate()(q, torch.zeros(1, 2))
