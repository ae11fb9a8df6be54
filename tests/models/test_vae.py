"""The VAE: shapes, determinism, statistics of its draws, and its errors."""

import pytest
import torch
from torch import nn

from disvae import VAE, BurgessVAE, KimVAE
from disvae.likelihoods import Gaussian
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


NETWORKS = [BurgessVAE, KimVAE]
SHAPES = [(1, 16, 16), (1, 28, 28), (3, 32, 32), (1, 48, 40), (3, 64, 64), (2, 100, 70)]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size(network, shape) -> None:
    model = network(shape, latent_dim=5)
    x = torch.rand(2, *shape)
    output = model(x)
    assert output.z.shape == (2, 5)
    assert output.parameters.shape == x.shape
    output.parameters.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize("network", NETWORKS)
def test_first_weights_let_the_signal_through(network) -> None:
    x, z = torch.rand(50, 1, 64, 64).round(), torch.randn(50, 10)

    def spreads(model):
        return [out.std(0).mean().item() for out in (model.represent(x), model.decode(z))]

    model = network((1, 64, 64))
    assert min(spreads(model)) > 0.1
    for layer in model.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    assert max(spreads(model)) < 0.01  # with PyTorch's own draw


@pytest.mark.parametrize("network", NETWORKS)
def test_largest_images(network) -> None:
    assert network((1, 256, 256))(torch.rand(1, 1, 256, 256)).parameters.shape[-1] == 256


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 64, 300), (0, 64, 64), (64, 64)])
@pytest.mark.untyped
def test_images_that_the_rule_does_not_cover(network, shape) -> None:
    with pytest.raises(ValueError, match=r"image_shape|16 to 256"):
        network(shape)


def test_images_of_another_shape_than_declared() -> None:
    with pytest.raises(ValueError, match=r"expected images of shape \(batch, 1, 64, 64\)"):
        BurgessVAE((1, 64, 64))(torch.rand(2, 1, 32, 32))


def test_padding_is_invisible_outside() -> None:
    # 28 is padded by 2 on each side: the same as a 32×32 network on the padded image, cropped.
    small, large = BurgessVAE((1, 28, 28), 4), BurgessVAE((1, 32, 32), 4)
    large.load_state_dict(small.state_dict())
    x = torch.rand(2, 1, 28, 28)
    padded = nn.functional.pad(x, (2, 2, 2, 2))
    torch.testing.assert_close(small.represent(x), large.represent(padded))
    z = torch.randn(2, 4)
    torch.testing.assert_close(small.decode(z), large.decode(z)[:, :, 2:-2, 2:-2])


def layers(module: nn.Module) -> list[str]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    return [
        f"{type(m).__name__} {m.weight.shape[0]}x{m.weight.shape[1]}"
        for m in module.modules()
        if isinstance(m, kinds)
    ]


def test_burgess_is_the_paper_s_network() -> None:
    model = BurgessVAE((1, 64, 64), latent_dim=10)
    convolutions = ["Conv2d 32x1", *["Conv2d 32x32"] * 3]
    assert layers(model.encoder) == [
        *convolutions,
        "Linear 256x512",
        "Linear 256x256",
        "Linear 20x256",
    ]
    assert layers(model.decoder) == [
        "Linear 256x10",
        "Linear 256x256",
        "Linear 512x256",
        *["ConvTranspose2d 32x32"] * 3,
        "ConvTranspose2d 32x1",
    ]


def test_kim_is_table_one() -> None:
    model = KimVAE((1, 64, 64), latent_dim=10, likelihood=Gaussian())
    assert layers(model.encoder) == [
        "Conv2d 32x1",
        "Conv2d 32x32",
        "Conv2d 64x32",
        "Conv2d 64x64",
        "Linear 128x1024",
        "Linear 20x128",
    ]
    assert layers(model.decoder) == [
        "Linear 128x10",
        "Linear 1024x128",
        "ConvTranspose2d 64x64",
        "ConvTranspose2d 64x32",
        "ConvTranspose2d 32x32",
        "ConvTranspose2d 32x1",
    ]
