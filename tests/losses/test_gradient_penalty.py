"""The gradient penalty, on critics whose slope is known."""

import pytest
import torch
from torch import nn

from disvae.losses.gradient_penalty import between, gradient_penalty

X = torch.rand(7, 1, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def linear(w):
    return lambda x: x.flatten(1) @ w


def quadratic(a):
    """½ xᵀ A x, whose slope is A x for a symmetric A."""
    return lambda x: 0.5 * ((x.flatten(1) @ a) * x.flatten(1)).sum(1)


def test_of_a_linear_critic_and_its_gradient() -> None:
    w = torch.randn(6, dtype=torch.float64, requires_grad=True)
    value = gradient_penalty(linear(w), X)
    value.backward()
    norm = w.detach().norm()
    torch.testing.assert_close(value, (norm - 1) ** 2)
    torch.testing.assert_close(w.grad, 2 * (norm - 1) * w.detach() / norm)


def test_of_a_quadratic_critic_and_its_gradient() -> None:
    a = torch.randn(6, 6, dtype=torch.float64)
    a = (a + a.T).requires_grad_()
    value = gradient_penalty(quadratic(a), X)
    (found,) = torch.autograd.grad(value, a)
    slopes = X.flatten(1) @ a
    expected = (slopes.norm(dim=1) - 1).square().mean()
    torch.testing.assert_close(value, expected)
    (wanted,) = torch.autograd.grad(expected, a)
    # The critic sees A and its transpose: only the symmetric part has an effect.
    torch.testing.assert_close(found, (wanted + wanted.T) / 2)


def test_second_derivatives_of_a_convolutional_critic() -> None:
    """Against finite differences of the penalty."""
    critic = nn.Sequential(
        nn.Conv2d(1, 2, 2, padding=1), nn.Softplus(), nn.Flatten(), nn.Linear(24, 1)
    ).double()

    def value() -> torch.Tensor:
        return gradient_penalty(lambda x: critic(x)[:, 0], X)

    weight = critic[0].weight
    (gradient,) = torch.autograd.grad(value(), weight)
    step = 1e-6
    for i in range(weight.numel()):
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                weight.flatten()[i] += sign * step
            ends.append(value().item())
            with torch.no_grad():
                weight.flatten()[i] -= sign * step
        slope = (ends[0] - ends[1]) / (2 * step)
        assert gradient.flatten()[i].item() == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_a_flat_critic_costs_one_and_its_gradient_is_finite() -> None:
    w = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    value = gradient_penalty(linear(w), X)
    value.backward()
    assert value.item() == 1
    assert w.grad.isfinite().all()


def test_each_image_counts_by_itself() -> None:
    def steep(x):
        return x.flatten(1).square().sum(1)

    alone = torch.stack([gradient_penalty(steep, x[None]) for x in X])
    torch.testing.assert_close(gradient_penalty(steep, X), alone.mean())


def test_without_gradients_the_value_is_the_same() -> None:
    w = torch.randn(6, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        value = gradient_penalty(linear(w), X)
    assert not value.requires_grad
    torch.testing.assert_close(value, gradient_penalty(linear(w), X).detach())


def test_points_lie_on_the_lines_and_everywhere_on_them() -> None:
    n = 20_000
    real = torch.ones(n, 1, 1, 2, dtype=torch.float64)
    fake = torch.tensor([0.0, 3.0], dtype=torch.float64).expand(n, 1, 1, 2).requires_grad_()
    x = between(real, fake)
    assert not x.requires_grad
    along = x[:, 0, 0, 0]
    torch.testing.assert_close(x[:, 0, 0, 1], 3 - 2 * along)
    assert along.quantile(torch.tensor([0.25, 0.5, 0.75]).double()).tolist() == pytest.approx(
        [0.25, 0.5, 0.75], abs=0.02
    )
    assert along.min() >= 0
    assert along.max() <= 1
