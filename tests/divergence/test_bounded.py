"""Nats of dimensions whose prior has bounds, and values within them."""

import math

import pytest
import torch
from torch.distributions import Normal, Uniform

from disvae.divergence import MixedDistribution, information_per_dimension, kl_per_dimension
from disvae.divergence.bounded import has_bounds, refuse_bounds, within_bounds

ONES = torch.ones(2, dtype=torch.float64)
BOX = Uniform(-ONES, ONES)
GAUSSIAN = Normal(0 * ONES, ONES)
Q = Normal(torch.randn(5, 2, dtype=torch.float64), torch.rand(5, 2, dtype=torch.float64) + 0.1)
LOGITS = [torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)]
ALIKE = [torch.zeros(3, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)]


def test_of_a_gaussian_prior_it_is_the_kl() -> None:
    assert torch.equal(information_per_dimension(Q, GAUSSIAN), kl_per_dimension(Q, GAUSSIAN))
    q, p = MixedDistribution(Q, LOGITS), MixedDistribution(GAUSSIAN, ALIKE)
    found = information_per_dimension(q, p)
    torch.testing.assert_close(found[:, :2], kl_per_dimension(q, p)[:, :2])


def test_of_categories_it_is_the_mutual_information() -> None:
    """H(mean of the probabilities) - mean of H(probabilities)."""
    q, p = MixedDistribution(Q, LOGITS), MixedDistribution(GAUSSIAN, ALIKE)
    found = information_per_dimension(q, p)[:, 2:].mean(0)
    for nats, block in zip(found.tolist(), LOGITS, strict=True):
        probabilities = block.softmax(1)
        expected = entropy(probabilities.mean(0)) - entropy(probabilities).mean()
        assert nats == pytest.approx(expected.item())


@pytest.mark.parametrize("certain", [60.0, 1e30])
def test_a_category_that_is_always_the_same_says_nothing(certain) -> None:
    same, each = torch.zeros(4, 4, dtype=torch.float64), certain * torch.eye(4, dtype=torch.float64)
    same[:, 1] = certain
    q = MixedDistribution(Normal(torch.zeros(4, 2), torch.ones(4, 2)), [same, each])
    p = MixedDistribution(GAUSSIAN, [ALIKE[1], ALIKE[1]])
    found = information_per_dimension(q, p)[:, 2:]
    assert found.mean(0).tolist() == pytest.approx([0.0, math.log(4)], abs=1e-12)


def entropy(probabilities: torch.Tensor) -> torch.Tensor:
    return -(probabilities * probabilities.log()).sum(-1)


@pytest.mark.parametrize("n", [0, 2])
def test_a_prior_with_bounds_has_no_finite_kl(n) -> None:
    box = Uniform(-ONES[:n], ONES[:n], validate_args=False)
    for prior in (box, MixedDistribution(box, ALIKE)):
        assert has_bounds(prior) == (n > 0)
    refuse_bounds(MixedDistribution(GAUSSIAN, ALIKE))
    with pytest.raises(ValueError, match=r"has bounds, as an InfoGAN's has, .* KL is infinite"):
        refuse_bounds(BOX)


def test_of_a_uniform_prior_it_is_finite_where_the_kl_is_not() -> None:
    assert kl_per_dimension(Q, BOX).isinf().all()
    found = information_per_dimension(Q, BOX)
    variance = 1 / 3
    expected = 0.5 * (
        (Q.scale**2 + Q.loc**2) / variance - 1 - (Q.scale**2).log() + math.log(variance)
    )
    torch.testing.assert_close(found, expected)
    mixed = information_per_dimension(MixedDistribution(Q, LOGITS), MixedDistribution(BOX, ALIKE))
    torch.testing.assert_close(mixed[:, :2], found)


def test_it_is_little_more_than_the_true_information_of_uniform_codes() -> None:
    """Of c = mean + noise with a narrow noise: I = log 2 - H(noise), up to the uniform's shape."""
    std = 0.01
    mean = torch.linspace(-1, 1, 2001, dtype=torch.float64)[:, None].expand(-1, 2)
    found = information_per_dimension(Normal(mean, std * torch.ones_like(mean)), BOX).mean(0)
    truth = math.log(2) - 0.5 * math.log(2 * math.pi * math.e * std**2)
    shape = 0.5 * math.log(2 * math.pi * math.e / 3) - math.log(2)  # KL(uniform ‖ its Gaussian)
    assert found.tolist() == pytest.approx([truth + shape] * 2, abs=1e-3)


def test_values_are_drawn_in_to_the_bounds() -> None:
    values = [-2.0, -0.5, 0.0, 1.0, 2.0]
    assert within_bounds(BOX, values) == [-1.0, -0.25, 0.0, 0.5, 1.0]
    assert within_bounds(MixedDistribution(BOX, ALIKE), values)[0] == -1
    assert within_bounds(BOX, [-0.9, 0.9]) == [-0.9, 0.9]
    for prior in (GAUSSIAN, MixedDistribution(GAUSSIAN, ALIKE)):
        assert within_bounds(prior, values) == values


def test_values_of_a_code_that_is_all_categories() -> None:
    nothing = Uniform(-ONES[:0], ONES[:0], validate_args=False)
    assert within_bounds(MixedDistribution(nothing, ALIKE), [-2.0, 2.0]) == [-2.0, 2.0]
