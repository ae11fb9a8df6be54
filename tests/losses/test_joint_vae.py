"""JointVAE's capacities, against the formula."""

import math

import pytest
import torch
from small import small_mixed
from torch.distributions import Categorical, Normal, kl_divergence

from disvae.losses import JointVAELoss, QLAELoss, VAELoss
from disvae.schedules import Linear
from disvae.testing import small_vae

X = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def parts(model) -> tuple[float, float]:
    """The KLs of both kinds of dimensions, by torch's own distributions."""
    q = model.encode(X)
    continuous = kl_divergence(q.continuous, Normal(torch.zeros(2), torch.ones(2))).sum(1).mean()
    discrete = sum(
        (math.log(block.shape[1]) - Categorical(logits=block).entropy()).mean()
        for block in q.logits
    )
    return float(continuous), float(discrete)


@pytest.mark.parametrize("step", [0, 5, 10, None])
def test_loss_is_the_formula(step) -> None:
    model = small_mixed()
    criterion = JointVAELoss(30.0, Linear(0.0, 5.0, steps=10), Linear(0.0, 1.0, steps=10))
    terms = criterion(model, X, step).terms
    share = 1.0 if step is None else step / 10
    continuous, discrete = parts(model)
    penalty = 30 * (abs(continuous - 5 * share) + abs(discrete - share))
    assert float(terms["objective"] - terms["reconstruction"]) == pytest.approx(penalty, rel=1e-4)
    assert float(terms["kl_continuous"]) == pytest.approx(continuous, rel=1e-4)
    assert float(terms["kl_discrete"]) == pytest.approx(discrete, rel=1e-4)
    assert float(terms["kl"]) == pytest.approx(continuous + discrete, rel=1e-4)


@pytest.mark.parametrize("step", [3, torch.tensor(3)])
def test_no_more_is_asked_of_categories_than_they_can_hold(step) -> None:
    model = small_mixed()
    most = math.log(3) + math.log(2)

    def loss(capacity) -> float:
        torch.manual_seed(0)
        return float(JointVAELoss(30.0, 1.0, capacity)(model, X, step).loss)

    assert loss(50.0) == pytest.approx(loss(most))
    assert loss(Linear(50.0, 60.0, steps=10)) == pytest.approx(loss(most))
    assert loss(0.5) < loss(most)


def test_without_capacities_it_is_the_vae() -> None:
    model = small_mixed()
    torch.manual_seed(0)
    expected = VAELoss()(model, X).loss
    torch.manual_seed(0)
    torch.testing.assert_close(JointVAELoss(1.0, 0.0, 0.0)(model, X).loss, expected)


def test_models_without_categories() -> None:
    with pytest.raises(TypeError, match="JointVAELoss needs categorical dimensions"):
        JointVAELoss()(small_vae(4), X)


def test_quantisation_needs_a_model_that_quantises() -> None:
    with pytest.raises(TypeError, match="QLAELoss needs a model that quantises"):
        QLAELoss()(small_vae(4), X)
