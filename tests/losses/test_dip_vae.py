"""DIP-VAE against its definition, entry by entry of the covariance."""

import pytest
import torch
from torch.distributions import Normal

from disvae import VAELoss
from disvae.losses import DIPVAELoss
from disvae.schedules import Linear
from disvae.testing import small_vae

LATENT_DIM = 4


def penalty(loc, scale, covariance: str, off_diagonal: float, diagonal: float):
    """The two weighted sums of the paper, one entry of the covariance at a time."""
    d = loc.shape[1]
    total = torch.zeros((), dtype=loc.dtype)
    for i in range(d):
        for j in range(d):
            entry = (loc[:, i] * loc[:, j]).mean() - loc[:, i].mean() * loc[:, j].mean()
            if i != j:
                total = total + off_diagonal * entry**2
            else:
                entry = entry + (scale[:, i] ** 2).mean() * (covariance == "codes")
                total = total + diagonal * (entry - 1) ** 2
    return total


@pytest.mark.parametrize("covariance", ["means", "codes"])
def test_value_and_gradient_are_those_of_the_definition(covariance) -> None:
    torch.manual_seed(0)
    leaves = [torch.randn(12, LATENT_DIM, dtype=torch.float64) for _ in range(2)]
    mean, log_std = (leaf.requires_grad_() for leaf in leaves)
    posterior = Normal(mean, log_std.exp())
    prior = Normal(torch.zeros(LATENT_DIM).double(), torch.ones(LATENT_DIM).double())
    value, terms = DIPVAELoss(covariance, 3.0, 7.0).regularizer(
        posterior, posterior.rsample(), prior, None
    )
    kl = torch.distributions.kl_divergence(posterior, prior).sum(1).mean()
    expected = kl + penalty(mean, log_std.exp(), covariance, 3.0, 7.0)
    torch.testing.assert_close(value, expected)
    for actual, wanted in zip(
        torch.autograd.grad(value, leaves, retain_graph=True),
        torch.autograd.grad(expected, leaves),
        strict=True,
    ):
        torch.testing.assert_close(actual, wanted, atol=1e-6, rtol=0)
    torch.testing.assert_close(value, kl + 3 * terms["off_diagonal"] + 7 * terms["diagonal"])


def test_codes_have_the_covariance_of_their_draws() -> None:
    # Var[z] = Var[mean] + E[variance]: a standard normal aggregate posterior costs nothing.
    torch.manual_seed(0)
    posterior = Normal(0.6 * torch.randn(200_000, 3), torch.full((200_000, 3), 0.8))
    _, terms = DIPVAELoss("codes").regularizer(
        posterior, posterior.sample(), Normal(torch.zeros(3), torch.ones(3)), None
    )
    assert terms["diagonal"] == pytest.approx(0.0, abs=1e-3)
    assert terms["off_diagonal"] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(("covariance", "ratio"), [("means", 10), ("codes", 1)])
def test_usual_weights(covariance, ratio) -> None:
    model, x = small_vae(LATENT_DIM).double(), torch.rand(16, 1, 8, 8, dtype=torch.float64)

    def loss(*weights):
        torch.manual_seed(1)
        return DIPVAELoss(covariance, *weights)(model, x, 5).loss.item()

    assert loss(2.0) == pytest.approx(loss(2.0, 2.0 * ratio), rel=1e-12)
    assert loss(Linear(0.0, 4.0, steps=10)) == pytest.approx(loss(2.0), rel=1e-12)
    torch.manual_seed(1)
    vae = VAELoss()(model, x).loss.item()
    assert loss(0.0) == pytest.approx(vae, rel=1e-12)


def test_one_image_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="at least 2 images"):
        DIPVAELoss()(small_vae(LATENT_DIM), torch.rand(1, 1, 8, 8))


@pytest.mark.untyped
def test_unknown_covariance() -> None:
    with pytest.raises(ValueError, match="must be in"):
        DIPVAELoss("ii")
