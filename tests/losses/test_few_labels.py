"""Few labels: the penalty against its definition, and the other loss untouched."""

import math

import pytest
import torch

from disvae import BetaVAEHLoss, FactorVAELoss, VAELoss
from disvae.losses import AdaGVAELoss, FewLabelsLoss
from disvae.models import Discriminator
from disvae.schedules import Linear
from disvae.testing import small_vae

D = 4
LOSSES = {
    "vae": VAELoss,
    "scheduled": lambda: BetaVAEHLoss(Linear(0.0, 8.0, steps=8)),
    "factor_vae": lambda: FactorVAELoss(D, discriminator=discriminator()),
    "ada_gvae": AdaGVAELoss,
}


def discriminator():
    torch.manual_seed(3)
    return Discriminator(D, hidden_dim=8, n_hidden=1)


@pytest.fixture
def model_and_batch():
    torch.manual_seed(0)
    x, labelled = torch.rand(2, 8, 1, 8, 8, dtype=torch.float64)
    factors = torch.rand(5, 3, dtype=torch.float64)
    return small_vae(D).double(), x, labelled[:5], factors


def run(criterion, model, batch, step=0):
    model.zero_grad()
    torch.manual_seed(1)
    output = criterion.double()(model, batch, step)
    output.loss.backward()
    return output, [p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize("name", LOSSES)
def test_without_weight_it_is_the_other_loss(name, model_and_batch) -> None:
    model, x, labelled, factors = model_and_batch
    unlabelled = (x, x.flip(0)) if name == "ada_gvae" else (x,)
    whole = unlabelled if len(unlabelled) > 1 else x
    expected, gradients = run(LOSSES[name](), model, whole, step=3)
    criterion = FewLabelsLoss(LOSSES[name](), weight=0.0)
    output, same = run(criterion, model, (*unlabelled, labelled, factors), step=3)
    assert torch.equal(output.loss, expected.loss)
    assert output.terms.keys() == expected.terms.keys() | {"supervised"}
    for term in expected.terms:
        assert torch.equal(output.terms[term], expected.terms[term])
    assert all(torch.equal(a, b) for a, b in zip(same, gradients, strict=True))


def by_loop(codes, factors, supervision):
    total = 0.0
    for code, values in zip(codes.tolist(), factors.tolist(), strict=True):
        for mu, v in zip(code, values, strict=False):  # what is left of the code is free
            s = 1 / (1 + math.exp(-mu))
            if supervision == "cross-entropy":
                total -= v * math.log(s) + (1 - v) * math.log(1 - s)
            else:
                total += (s - v) ** 2
    return total / len(codes)


@pytest.mark.parametrize("supervision", ["cross-entropy", "squared-error"])
def test_penalty_is_that_of_the_definition(supervision, model_and_batch) -> None:
    model, x, labelled, factors = model_and_batch
    criterion = FewLabelsLoss(VAELoss(), Linear(0.0, 10.0, steps=4), supervision)
    expected = by_loop(model.represent(labelled), factors, supervision)
    output, gradients = run(criterion, model, (x, labelled, factors), step=2)
    assert output.terms["supervised"].item() == pytest.approx(expected)
    other, without = run(VAELoss(), model, x)
    assert output.loss.item() == pytest.approx(other.loss.item() + 5 * expected)
    assert output.terms["objective"] == output.loss
    codes = model.encode(labelled).mean[:, :3]
    model.zero_grad()
    if supervision == "cross-entropy":
        each = torch.nn.functional.softplus(codes) - factors * codes
    else:
        each = (1 / (1 + (-codes).exp()) - factors) ** 2
    (5 * each.sum(1).mean()).backward()
    for parameter, a, b in zip(model.parameters(), gradients, without, strict=True):
        alone = torch.zeros_like(a) if parameter.grad is None else parameter.grad
        torch.testing.assert_close(a, b + alone, rtol=1e-9, atol=1e-11)


def test_objective_leaves_out_the_opponent(model_and_batch) -> None:
    model, x, labelled, factors = model_and_batch
    criterion = FewLabelsLoss(LOSSES["factor_vae"](), weight=2.0)
    output, _ = run(criterion, model, (x, labelled, factors))
    rest = output.terms["objective"] + output.terms["discriminator"]
    assert output.loss.item() == pytest.approx(rest.item())
    groups = criterion.parameter_groups(model, 1e-3)
    assert groups[1]["betas"] == (0.5, 0.9)


def test_labels_reach_their_dimensions_alone() -> None:
    """Whatever the factors, the dimensions beyond them feel nothing."""
    codes = torch.randn(6, D, requires_grad=True)
    FewLabelsLoss().regularizer(codes, torch.rand(6, 2)).backward()
    assert (codes.grad[:, :2] != 0).all()
    assert (codes.grad[:, 2:] == 0).all()


def test_default_is_the_beta_vae() -> None:
    assert isinstance(FewLabelsLoss().criterion, BetaVAEHLoss)
    assert FewLabelsLoss().criterion.beta == 4.0


@pytest.mark.untyped
def test_refuses(model_and_batch) -> None:
    model, x, labelled, factors = model_and_batch
    criterion = FewLabelsLoss(VAELoss())
    with pytest.raises(TypeError, match="got a single batch: train on disvae"):
        criterion(model, x)
    with pytest.raises(TypeError, match="got 2 parts"):
        criterion(model, (x, labelled))
    with pytest.raises(ValueError, match=r"shape \(5, n_factors\)"):
        criterion(model, (x, labelled, factors[:4]))
    with pytest.raises(ValueError, match="expected factors as floats"):
        criterion(model, (x, labelled, factors.long()))
    with pytest.raises(ValueError, match="each of 6 factors needs a dimension of its own"):
        criterion(model, (x, labelled, factors.repeat(1, 2)))
    for bad in (3 * factors, -factors, factors.masked_fill(factors > 0.5, torch.nan)):
        with pytest.raises(ValueError, match=r"factors scaled to \[0, 1\]"):
            criterion(model, (x, labelled, bad))
    with pytest.raises(ValueError, match=r"values in \[0, 1\]"):
        criterion(model, (x, 255 * labelled, factors))
    with pytest.raises(ValueError, match="supervision must be in"):
        FewLabelsLoss(supervision="hinge")
