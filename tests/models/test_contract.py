"""What every network keeps: shapes, gradients, precisions, its description, its errors."""

import itertools

import pytest
import torch

from disvae.losses import VAELoss
from disvae.models import (
    MLPVAE,
    VAE,
    BroadcastVAE,
    BurgessVAE,
    ChestMNISTVAE,
    FashionConvVAE,
    FashionMLPVAE,
    JhaVAE,
    KimVAE,
    ResidualVAE,
)
from disvae.spec import build, describe

HALVING = [BroadcastVAE, BurgessVAE, FashionConvVAE, KimVAE, ResidualVAE]  # 16 to 256 pixels a side
ANY_SIZE = [FashionMLPVAE, MLPVAE]
ONE_SIZE = [ChestMNISTVAE, JhaVAE]  # 28×28
NETWORKS = [*HALVING, *ANY_SIZE, *ONE_SIZE]

SHAPES = [(1, 16, 16), (3, 28, 28), (5, 32, 32), (3, 64, 64), (1, 20, 36), (2, 100, 70)]
COVERED = [
    *itertools.product(HALVING, [*SHAPES, (1, 128, 128), (1, 256, 256)]),
    *itertools.product(ANY_SIZE, [*SHAPES, (1, 1, 1), (2, 3, 300)]),
    *itertools.product(ONE_SIZE, [(1, 28, 28), (3, 28, 28), (5, 28, 28)]),
]
NOT_COVERED = [
    *itertools.product(HALVING, [(1, 8, 8), (1, 64, 300), (1, 15, 16), (0, 64, 64), (64, 64)]),
    *itertools.product(ANY_SIZE, [(0, 64, 64), (1, 0, 64), (64, 64), (1, 1, 64, 64)]),
    *itertools.product(ONE_SIZE, [(1, 32, 32), (1, 28, 32), (0, 28, 28), (28, 28)]),
]
each_network = pytest.mark.parametrize("network", NETWORKS)


def small(network: type[VAE]) -> tuple[VAE, torch.Tensor]:
    """The network at the smallest square size that it takes, and 16 images."""
    side = 28 if network in ONE_SIZE else 16
    return network(image_shape=(1, side, side)), torch.rand(16, 1, side, side)


@pytest.mark.parametrize(("network", "shape"), COVERED)
def test_shapes(network, shape) -> None:
    model, x = network(shape, latent_dim=5), torch.rand(2, *shape)
    output = model(x)
    assert output.z.shape == output.posterior.mean.shape == (2, 5)
    assert output.parameters.shape == x.shape
    assert model.sample(3).shape == (3, *shape)


@pytest.mark.parametrize(("network", "shape"), NOT_COVERED)
@pytest.mark.untyped
def test_shapes_that_are_not_covered(network, shape) -> None:
    with pytest.raises(ValueError, match=r"expected image_shape|16 to 256 pixels"):
        network(shape)


@each_network
def test_images_of_another_shape_than_declared(network) -> None:
    model, x = small(network)
    with pytest.raises(ValueError, match=r"expected images of shape \(batch, 1, \d\d, \d\d\), got"):
        model(x[:, :, 1:])


@each_network
@pytest.mark.untyped
@pytest.mark.parametrize("door", ["encode", "represent", "reconstruct", "__call__"])
def test_bytes_are_not_images(network, door) -> None:
    model, x = small(network)
    for wrong in (255 * x, x - 0.5, x * torch.nan):
        with pytest.raises(ValueError, match=r"values in \[0, 1\].*data.floats\(indices\)"):
            getattr(model, door)(wrong)
    with pytest.raises(TypeError, match="floating-point tensor"):
        getattr(model, door)((255 * x).byte())


@pytest.mark.parametrize("network", [*HALVING, *ANY_SIZE])
def test_channels_come_first(network) -> None:
    with pytest.raises(ValueError, match=r"channels come first, as in \(3, 48, 64\)"):
        network((48, 64, 3))


@each_network
@pytest.mark.parametrize("latent_dim", [0, -1])
def test_codes_have_dimensions(network, latent_dim) -> None:
    with pytest.raises(ValueError, match=r"at least 1 unit, got sizes|both parts of the code"):
        network((1, 28, 28), latent_dim=latent_dim)


@each_network
def test_description_builds_the_same_network(network) -> None:
    model, x = small(network)
    made = build(describe(model), VAE)
    assert type(made) is network
    assert describe(made) == describe(model)
    made.load_state_dict(model.state_dict())
    assert torch.equal(made.eval().represent(x), model.eval().represent(x))


@each_network
def test_gradient_reaches_every_parameter(network) -> None:
    model, x = small(network)
    VAELoss()(model, x).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # A bias before BatchNorm has a gradient of zero: the mean is taken off again.
        assert parameter.grad.any() or name.endswith("bias"), name


@each_network
def test_a_few_steps_reduce_the_loss(network) -> None:
    model, x = small(network)
    criterion, x = VAELoss(), x.round()
    # The smallest network of all, and normalised throughout: it goes a shorter way at one rate.
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3 if network is JhaVAE else 3e-4)
    losses = []
    for _ in range(8):
        loss = criterion(model, x).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-3:]) / 3 < 0.9 * losses[0]


@each_network
def test_first_weights_let_the_signal_through(network) -> None:
    model, x = small(network)
    with torch.no_grad():
        images = model.decode(torch.randn(64, model.latent_dim))
    assert images.std(0).mean() > 0.1
    assert images.std(0).mean() > 0.3 * images.std()  # most of it is the code's doing
    assert model.represent(x).std(0).mean() > 0.01


@each_network
def test_double_precision(network) -> None:
    model, x = small(network)
    output = model.double()(x.double())
    assert output.z.dtype == output.parameters.dtype == torch.float64
    assert output.parameters.isfinite().all()


@each_network
def test_bfloat16_autocast(network) -> None:
    model, x = small(network)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(x)
        loss = VAELoss()(model, x).loss
    assert model.encoder(x).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert model.encoder(x).dtype == torch.bfloat16
    assert output.z.dtype == torch.float32
    assert output.parameters.isfinite().all()
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@each_network
def test_evaluation_mode_still_draws(network) -> None:
    model, x = small(network)
    model.eval()
    assert not torch.equal(model(x).z, model(x).z)
    assert torch.equal(model.represent(x), model.represent(x))


@each_network
def test_in_evaluation_an_image_does_not_see_its_batch(network) -> None:
    model, x = small(network)
    model.eval()
    torch.testing.assert_close(model.represent(x)[:2], model.represent(x[:2]))
    z = torch.randn(6, model.latent_dim)
    torch.testing.assert_close(model.decode(z)[:2], model.decode(z[:2]), atol=1e-4, rtol=1e-4)
