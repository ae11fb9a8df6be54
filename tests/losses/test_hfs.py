"""Hausdorff factorised support against its definition, by loops over every combination."""

import pytest
import torch
from torch.distributions import kl_divergence

from disvae.losses import HFSLoss
from disvae.losses.hfs import support_distance
from disvae.testing import small_vae


def by_loops(codes):
    n, dims = codes.shape
    total = 0.0
    for i in range(dims):
        for j in range(i + 1, dims):
            distances = [
                min(
                    (codes[a, i] - codes[k, i]) ** 2 + (codes[b, j] - codes[k, j]) ** 2
                    for k in range(n)
                )
                for a in range(n)
                for b in range(n)
            ]
            total = total + max(distances)
    return total


def test_distance_and_gradient_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    codes = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    actual, expected = support_distance(codes), by_loops(codes)
    assert actual.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(
        *(torch.autograd.grad(value, codes)[0] for value in (actual, expected)), rtol=0, atol=1e-9
    )


def test_complete_grid_costs_nothing_however_unevenly_it_is_filled() -> None:
    values = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    grid = torch.cartesian_prod(values, values)
    assert support_distance(grid) == 0
    assert support_distance(torch.cat([grid, grid[:1].repeat(20, 1)])) == 0  # correlated, yet whole
    assert support_distance(torch.stack([values, values], dim=1)) > 0  # a diagonal is not


def test_loss_is_the_weighted_sum() -> None:
    torch.manual_seed(0)
    model, x = small_vae(4).double(), torch.rand(8, 1, 8, 8, dtype=torch.float64)
    torch.manual_seed(1)
    output = HFSLoss(gamma=10.0, beta=0.5)(model, x)
    output.loss.backward()
    actual = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    torch.manual_seed(1)
    posterior, _, parameters = model(x)
    kl = kl_divergence(posterior, model.prior).sum(1).mean()
    loss = model.likelihood.nll(parameters, x).mean() + 0.5 * kl + 10 * by_loops(posterior.mean)
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    for a, p in zip(actual, model.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-6)


def test_one_dimension_has_no_pair() -> None:
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        HFSLoss()(small_vae(1), torch.rand(4, 1, 8, 8))
