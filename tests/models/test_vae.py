"""The VAE: shapes, determinism, statistics of its draws, and its errors."""

import pytest
import torch
from torch import nn

from disvae import VAE
from disvae.testing import small_vae


def test_draws_follow_the_posterior() -> None:
    model = small_vae(3)
    x = torch.rand(1, 1, 8, 8).expand(20_000, -1, -1, -1)
    posterior, z, _ = model(x)
    error = posterior.scale[0] / len(z) ** 0.5
    assert ((z.mean(0) - posterior.loc[0]).abs() < 4.5 * error).all()
    assert ((z.std(0) / posterior.scale[0] - 1).abs() < 0.03).all()


def test_evaluation_mode_still_draws() -> None:
    model, x = small_vae(3).eval(), torch.rand(4, 1, 8, 8)
    assert not torch.equal(model(x).z, model(x).z)
    assert torch.equal(model.represent(x), model.encode(x).mean)
    expected = torch.sigmoid(model.decode(model.represent(x)))
    assert torch.equal(model.reconstruct(x), expected)


def test_encoder_gives_means_then_log_variances() -> None:
    moments = torch.tensor([[1.0, -2.0, 0.0, 2.0]])
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(4, 4))
    nn.init.zeros_(encoder[1].weight)
    encoder[1].bias.data = moments[0]
    posterior = VAE(encoder, nn.Identity(), latent_dim=2).encode(torch.zeros(1, 1, 2, 2))
    torch.testing.assert_close(posterior.mean, torch.tensor([[1.0, -2.0]]))
    torch.testing.assert_close(posterior.variance, torch.tensor([[0.0, 2.0]]).exp())


def test_samples_come_from_the_generator() -> None:
    model = small_vae(3)
    a, b = (model.sample(5, torch.Generator().manual_seed(2)) for _ in range(2))
    assert a.shape == (5, 1, 8, 8)
    assert torch.equal(a, b)
    assert not torch.equal(a, model.sample(5, torch.Generator().manual_seed(3)))
    assert a.min() >= 0
    assert a.max() <= 1


def test_prior_follows_the_model() -> None:
    model = small_vae(3).double()
    assert model.prior.loc.dtype == torch.float64
    assert model.prior.mean.tolist() == [0.0] * 3
    assert model.prior.variance.tolist() == [1.0] * 3
    assert not any("zeros" in name for name in model.state_dict())


def test_posterior_is_single_precision_under_autocast() -> None:
    model, x = small_vae(3), torch.rand(4, 1, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(x)
    assert output.posterior.scale.dtype == output.z.dtype == torch.float32


def test_encoder_of_the_wrong_size() -> None:
    model = VAE(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), nn.Identity(), latent_dim=3)
    with pytest.raises(ValueError, match=r"\(2, 6\) numbers, got shape \(2, 5\)"):
        model(torch.rand(2, 1, 8, 8))


def test_latent_dim_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        VAE(nn.Identity(), nn.Identity(), latent_dim=0)
