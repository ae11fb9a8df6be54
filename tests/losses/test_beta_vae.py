"""β-VAE in both its forms, against the formulas."""

import pytest
import torch

from disvae import BetaVAEBLoss, BetaVAEHLoss, VAELoss
from disvae.losses import Loss
from disvae.schedules import Linear
from disvae.testing import small_vae


@pytest.fixture
def model_and_images():
    return small_vae(4).double(), torch.rand(16, 1, 8, 8, dtype=torch.float64)


def run(criterion: Loss, model, x, step=None):
    torch.manual_seed(1)
    return criterion(model, x, step)


@pytest.mark.parametrize("beta", [0.0, 0.5, 4.0])
def test_h_weighs_the_kl(model_and_images, beta: float) -> None:
    terms = run(VAELoss(), *model_and_images).terms
    loss = run(BetaVAEHLoss(beta), *model_and_images).loss
    expected = terms["reconstruction"] + beta * terms["kl"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (50, 12.5), (100, 25.0), (None, 25.0)])
def test_b_holds_the_mean_kl_at_the_capacity(model_and_images, step, capacity) -> None:
    criterion = BetaVAEBLoss(gamma=100.0, capacity=Linear(0.0, 25.0, steps=100))
    output = run(criterion, *model_and_images, step)
    kl = output.terms["kl"].item()
    distance = output.loss.item() - output.terms["reconstruction"].item()
    assert distance == pytest.approx(100.0 * abs(kl - capacity), rel=1e-9)


def test_b_pushes_the_kl_up_below_its_capacity(model_and_images) -> None:
    model, x = model_and_images

    def kl_gradient(capacity: float):
        model.zero_grad()
        output = run(BetaVAEBLoss(gamma=1.0, capacity=capacity), model, x)
        output.loss.backward()
        return torch.cat([p.grad.flatten() for p in model.encoder.parameters()])

    reconstruction = (kl_gradient(0.0) + kl_gradient(100.0)) / 2  # |·| turns the sign of the rest
    kl = kl_gradient(0.0) - reconstruction
    torch.testing.assert_close(kl_gradient(100.0), reconstruction - kl)
    assert kl.abs().max() > 1e-3
