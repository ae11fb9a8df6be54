"""Two capacities, each for its own kind of dimensions."""

import math

import pytest
import torch
from small import small_mixed

from disvae.divergence import kl_per_dimension
from disvae.losses import JointVAELoss
from disvae.testing import small_vae

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_each_kl_is_held_at_its_capacity() -> None:
    model = small_mixed(2, (3, 2))
    kl = kl_per_dimension(model.encode(X), model.prior).mean(0)
    continuous, discrete = kl[:2].sum().item(), kl[2:].sum().item()
    torch.manual_seed(1)
    loss, terms = JointVAELoss(7.0, continuous_capacity=3.0, discrete_capacity=0.5)(model, X)
    assert terms["kl_continuous"] == pytest.approx(continuous, rel=1e-5)
    assert terms["kl_discrete"] == pytest.approx(discrete, rel=1e-5)
    assert terms["kl"] == pytest.approx(continuous + discrete, rel=1e-5)
    penalty = 7 * (abs(continuous - 3.0) + abs(discrete - 0.5))
    assert loss.item() == pytest.approx(terms["reconstruction"].item() + penalty, rel=1e-5)


@pytest.mark.parametrize("as_tensor", [False, True])
def test_categories_are_not_asked_for_more_than_they_can_hold(as_tensor: bool) -> None:
    model, most = small_mixed(2, (3, 2)), math.log(3) + math.log(2)
    step = torch.tensor(0) if as_tensor else 0

    def loss(capacity: float) -> float:
        torch.manual_seed(1)
        return JointVAELoss(7.0, 3.0, capacity)(model, X, step).loss.item()

    assert loss(50.0) == pytest.approx(loss(most), rel=1e-6)
    assert loss(most) != pytest.approx(loss(0.5 * most), rel=1e-4)


def test_a_model_without_categories_is_refused() -> None:
    with pytest.raises(TypeError, match="BetaVAEBLoss"):
        JointVAELoss()(small_vae(4), X)
