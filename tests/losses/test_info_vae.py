"""InfoVAE against its definition; the discrepancy itself is tested in tests/divergence."""

import pytest
import torch
from torch.distributions import kl_divergence

from disvae import VAELoss
from disvae.divergence import maximum_mean_discrepancy
from disvae.losses import InfoVAELoss
from disvae.schedules import Linear
from disvae.testing import small_vae

D = 4


@pytest.fixture
def model_and_images():
    torch.manual_seed(0)
    return small_vae(D).double(), torch.rand(9, 1, 8, 8, dtype=torch.float64)


def run(criterion, model, x, step=None):
    model.zero_grad()
    torch.manual_seed(1)
    output = criterion(model, x, step)
    output.loss.backward()
    return output, [p.grad.clone() for p in model.parameters()]


@pytest.mark.parametrize("bandwidth", [None, 0.8])
def test_value_and_gradient_are_those_of_the_definition(model_and_images, bandwidth) -> None:
    model, x = model_and_images
    output, actual = run(InfoVAELoss(0.3, 50.0, bandwidth), model, x)
    model.zero_grad()
    torch.manual_seed(1)
    posterior, z, parameters = model(x)
    kl = kl_divergence(posterior, model.prior).sum(1).mean()
    mmd = maximum_mean_discrepancy(z, model.prior, bandwidth or 2.0)
    loss = model.likelihood.nll(parameters, x).mean() + 0.7 * kl + 49.3 * mmd
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    for a, p in zip(actual, model.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-6)


def test_neutral_weights_are_the_vae(model_and_images) -> None:
    expected, gradients = run(VAELoss(), *model_and_images)
    actual, same = run(InfoVAELoss(0.0, 1.0), *model_and_images)
    assert actual.loss.item() == pytest.approx(expected.loss.item(), rel=1e-12)
    for a, b in zip(gradients, same, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_weights_may_be_scheduled(model_and_images) -> None:
    scheduled, _ = run(InfoVAELoss(Linear(0.0, 1.0, 4), Linear(1.0, 9.0, 4)), *model_and_images, 2)
    constant, _ = run(InfoVAELoss(0.5, 5.0), *model_and_images)
    assert scheduled.loss.item() == pytest.approx(constant.loss.item(), rel=1e-12)


def test_one_image_has_no_discrepancy(model_and_images) -> None:
    model, x = model_and_images
    with pytest.raises(ValueError, match="at least 2 codes, got 1"):
        InfoVAELoss()(model, x[:1])
    with pytest.raises(ValueError, match="bandwidth must be positive"):
        InfoVAELoss(bandwidth=-1.0)
