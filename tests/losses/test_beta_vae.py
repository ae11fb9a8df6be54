"""β-VAE in both its forms, against the formulas."""

import pytest
import torch

from disvae import BetaVAEBLoss, BetaVAEHLoss, VAELoss
from disvae.losses import BetaVAEScaledLoss, Loss
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


def test_scaled_loss_is_the_mean_over_pixels_with_the_kl_by_batch_over_data_set() -> None:
    # As implementations write it: mean cross-entropy + β·(M / N)·KL, times the number of pixels.
    model, x = small_vae(4).double(), torch.rand(10, 1, 8, 8, dtype=torch.float64)
    torch.manual_seed(1)
    output = BetaVAEScaledLoss(dataset_size=500, beta=0.1, n_pixels=64)(model, x)
    output.loss.backward()
    actual = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    torch.manual_seed(1)
    posterior, _, logits = model(x)
    log_var = 2 * posterior.scale.log()
    kl = (-0.5 * (1 + log_var - posterior.loc**2 - log_var.exp()).sum(1)).mean(0)
    mean = torch.nn.functional.binary_cross_entropy_with_logits(logits, x)
    loss = 64 * (mean + 0.1 * (10 / 500) * kl)
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    for a, p in zip(actual, model.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-6)


@pytest.mark.parametrize("arguments", [{"dataset_size": 0}, {"dataset_size": 9, "n_pixels": 0}])
def test_scaled_loss_refuses(arguments) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        BetaVAEScaledLoss(**arguments)
