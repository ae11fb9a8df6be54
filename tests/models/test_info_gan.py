"""The InfoGAN: its codes, its noise, its encoder, and the networks of the tables."""

import math

import pytest
import torch
from torch import nn

from disvae.models import InfoGAN, InfoGAN2DShapes, InfoGANLarge, InfoGANMNIST, LatentModel
from disvae.spec import build, describe
from disvae.testing import small_info_gan

NETWORKS = [InfoGANMNIST, InfoGAN2DShapes, InfoGANLarge]
each_network = pytest.mark.parametrize("network", NETWORKS)
CRITIC = ["batch", "layer"]


def test_a_code_has_a_dimension_for_each_variable() -> None:
    model = small_info_gan(4).eval()
    assert (model.latent_dim, model.columns) == (4, 6)
    posterior, z, parameters = model(torch.rand(5, 1, 8, 8))
    assert posterior.batch_shape == (5, 4)
    assert z.shape == (5, 6)
    assert parameters.shape == (5, 1, 8, 8)
    assert model.prior.batch_shape == (4,)


def test_draws_of_the_prior() -> None:
    model = small_info_gan(3)
    codes = model.draw(30_000, torch.Generator().manual_seed(0))
    quarters = torch.tensor([0.25, 0.5, 0.75])
    for column in codes[:, :2].T:
        assert -1 <= column.min() < -0.99
        assert 0.99 < column.max() <= 1
        assert column.quantile(quarters).tolist() == pytest.approx([-0.5, 0, 0.5], abs=0.03)
    categories, counts = codes[:, 2].unique(return_counts=True)
    assert categories.tolist() == [0, 1, 2]
    assert (counts / len(codes)).tolist() == pytest.approx([1 / 3] * 3, abs=0.01)
    log_density = model.prior.log_prob(model.prior.columns(codes))
    expected = torch.tensor([-math.log(2), -math.log(2), -math.log(3)])
    torch.testing.assert_close(log_density, expected.expand(len(codes), 3))


def test_recognition_gives_means_log_variances_and_logits() -> None:
    numbers = torch.tensor([1.0, -2.0, 0.0, 2.0, 0.0, 5.0, 1.0])

    class Constant(nn.Module):
        def forward(self, features):
            return numbers.expand(len(features), -1)

    def model(std):
        return InfoGAN(nn.Identity(), nn.Flatten(), nn.Linear(4, 1), Constant(), 2, (3,), 1, std)

    q = model(None).encode(torch.rand(1, 1, 2, 2))
    torch.testing.assert_close(q.continuous.mean, torch.tensor([[1.0, -2.0]]))
    torch.testing.assert_close(q.continuous.variance, torch.tensor([[0.0, 2.0]]).exp())
    torch.testing.assert_close(q.logits[0].exp(), torch.tensor([[0.0, 5.0, 1.0]]).softmax(1))
    assert model(None).represent(torch.rand(1, 1, 2, 2)).tolist() == [[1.0, -2.0, 1.0]]
    with pytest.raises(ValueError, match=r"\(batch, 5\) numbers, .* got shape \(1, 7\)"):
        model(0.5).encode(torch.rand(1, 1, 2, 2))


def test_standard_deviation_may_be_fixed() -> None:
    model = InfoGAN2DShapes((1, 16, 16), std=0.5).eval()
    assert model.encode(torch.rand(2, 1, 16, 16)).continuous.stddev.unique().tolist() == [0.5]


def test_decoding_holds_the_noise_and_sampling_draws_it() -> None:
    model = small_info_gan(3)
    z = model.draw(1).expand(40, -1)
    images = model.likelihood.mean(model.decode(z))
    assert torch.equal(images, images[:1].expand_as(images))
    columns = model.prior.columns(z)
    assert not torch.equal(model.generate(columns, torch.rand(40, 2)), model.decode(z))
    # All that is left of the variance of samples, once the codes are taken away, is the noise's.
    model.generator[0].weight.data[:, : model.columns] = 0
    assert model.decode(model.draw(40)).std(0).max() < 1e-6
    assert model.sample(40).std(0).mean() > 1e-3


def test_samples_come_from_the_generator() -> None:
    model = small_info_gan(3)
    a, b = (model.sample(5, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(a, b)
    assert not torch.equal(a, model.sample(5, torch.Generator().manual_seed(3)))
    assert a.min() >= 0
    assert a.max() <= 1


def test_noise_is_the_same_for_all_models_and_stays_with_the_weights() -> None:
    torch.manual_seed(5)
    one = small_info_gan(3)
    torch.manual_seed(6)
    other = small_info_gan(3)
    assert torch.equal(one.noise, other.noise)
    assert one.noise.abs().max() <= 1
    assert "noise" in one.state_dict()


def test_categories_are_decoded_by_their_number() -> None:
    model = small_info_gan(3)
    z = torch.tensor([[0.1, 0.2, 2.0], [0.1, 0.2, 1.0]])
    noise = model.noise.expand(2, -1)
    columns = torch.tensor([[0.1, 0.2, 0, 0, 1], [0.1, 0.2, 0, 1, 0]])
    torch.testing.assert_close(model.decode(z), model.generator(torch.cat([columns, noise], 1)))


@pytest.mark.parametrize(("n_continuous", "categories"), [(0, (3, 2)), (2, ())])
def test_codes_of_one_kind(n_continuous, categories) -> None:
    model = InfoGAN2DShapes((1, 16, 16), n_continuous, categories, n_noise=0).eval()
    x = torch.rand(3, 1, 16, 16)
    assert model.represent(x).shape == model.draw(3).shape == (3, 2)
    assert model(x).parameters.shape == x.shape
    assert model.sample(3).shape == x.shape


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ((0, (), 3), "at least one code"),
        ((-1, (3,), 3), "no negative number"),
        ((1, (), -1), "no negative number"),
        ((1, (1,), 3), r"at least 2 categories each, got \(1,\)"),
    ],
)
def test_codes_that_cannot_be(codes, message) -> None:
    with pytest.raises(ValueError, match=message):
        InfoGAN2DShapes((1, 16, 16), *codes)


@pytest.mark.untyped
def test_other_bad_arguments() -> None:
    with pytest.raises(ValueError, match="std must be positive"):
        InfoGAN2DShapes((1, 16, 16), std=0.0)
    with pytest.raises(ValueError, match="must be batch or layer, got 'none'"):
        InfoGAN2DShapes((1, 16, 16), normalization="none")
    with pytest.raises(ValueError, match="multiples of 16, got 28 x 28"):
        InfoGAN2DShapes((1, 28, 28))
    with pytest.raises(ValueError, match="expected image_shape"):
        InfoGANMNIST((28, 28))
    with pytest.raises(ValueError, match=r"expected images of shape \(batch, 1, 16, 16\)"):
        InfoGAN2DShapes((1, 16, 16)).encode(torch.rand(2, 1, 16, 32))


@each_network
@pytest.mark.parametrize("normalization", CRITIC)
@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 16)])
def test_shapes(network, normalization, shape) -> None:
    model, x = network(shape, normalization=normalization), torch.rand(2, *shape)
    assert model(x).parameters.shape == x.shape
    assert model.sample(3).shape == (3, *shape)
    assert model.judge(model.trunk(x)).shape == (2,)


@each_network
def test_description_and_weights_build_the_same(network) -> None:
    model, x = (
        network((1, 16, 16), n_continuous=3, categories=[4, 2]).eval(),
        torch.rand(2, 1, 16, 16),
    )
    made = build(describe(model), LatentModel).eval()
    assert describe(made) == describe(model)
    made.load_state_dict(model.state_dict())
    assert torch.equal(made.represent(x), model.represent(x))
    assert torch.equal(made.decode(made.represent(x)), model.decode(model.represent(x)))


@each_network
def test_in_evaluation_an_image_does_not_see_its_batch(network) -> None:
    model, x = network((1, 16, 16)), torch.rand(6, 1, 16, 16)
    model(x)  # moves the running statistics
    model.eval()
    torch.testing.assert_close(model.represent(x)[:2], model.represent(x[:2]), atol=1e-4, rtol=1e-4)
    z = model.draw(6)
    torch.testing.assert_close(model.decode(z)[:2], model.decode(z[:2]), atol=1e-4, rtol=1e-4)


@each_network
def test_first_weights_let_the_signal_through(network) -> None:
    model, x = network((1, 32, 32), normalization="layer"), torch.rand(16, 1, 32, 32)
    with torch.no_grad():
        assert model.sample(64).std(0).mean() > 0.05
        assert model.judge(model.trunk(x)).std() > 1e-3
        assert model.encode(x).continuous.mean.std(0).min() > 1e-2


@each_network
def test_double_precision(network) -> None:
    model = network((1, 16, 16)).double()
    output = model(torch.rand(2, 1, 16, 16, dtype=torch.float64))
    assert output.z.dtype == output.parameters.dtype == torch.float64
    assert model.sample(2).dtype == model.prior.log_prob(output.z).dtype == torch.float64


def layers(module: nn.Module) -> list[str]:
    """What a table says of a network."""
    names = {nn.BatchNorm2d: "batchnorm", nn.BatchNorm1d: "batchnorm", nn.LayerNorm: "layernorm"}
    names |= {nn.ReLU: "ReLU", nn.LeakyReLU: "lReLU"}
    rows = []
    for m in module.modules():
        if isinstance(m, nn.Linear):
            rows.append(f"FC {m.out_features}")
        elif isinstance(m, nn.ConvTranspose2d):
            rows.append(f"upconv {m.out_channels} stride {m.stride[0]}")
        elif isinstance(m, nn.Conv2d):
            rows.append(f"conv {m.out_channels} stride {m.stride[0]}")
        elif type(m) in names:
            rows[-1] += f" {names[type(m)]}"
    return rows


BN = "batchnorm"


def test_table_4() -> None:
    model = InfoGANMNIST((1, 28, 28))
    assert (model.n_continuous, model.categories, model.n_noise) == (2, (10,), 62)
    assert layers(model.trunk) == [
        "conv 64 stride 2 lReLU",
        f"conv 128 stride 2 {BN} lReLU",
        f"FC 1024 {BN} lReLU",
    ]
    assert layers(model.critic) == ["FC 1"]
    assert layers(model.recognition) == [f"FC 128 {BN} lReLU", "FC 14"]
    assert layers(model.generator) == [
        f"FC 1024 {BN} ReLU",
        f"FC {7 * 7 * 128} {BN} ReLU",
        f"upconv 64 stride 2 {BN} ReLU",
        "upconv 1 stride 2",
    ]


def test_table_5() -> None:
    model = InfoGAN2DShapes((1, 64, 64))
    assert (model.n_continuous, model.categories, model.n_noise) == (4, (3,), 5)
    assert layers(model.trunk) == [
        "conv 32 stride 2 lReLU",
        f"conv 32 stride 2 {BN} lReLU",
        f"conv 64 stride 2 {BN} lReLU",
        f"conv 64 stride 2 {BN} lReLU",
        f"FC 128 {BN} lReLU",
    ]
    assert layers(model.recognition) == [f"FC 128 {BN} lReLU", "FC 11"]
    assert layers(model.generator) == [
        f"FC 128 {BN} ReLU",
        f"FC {4 * 4 * 64} {BN} ReLU",
        f"upconv 64 stride 2 {BN} lReLU",
        f"upconv 32 stride 2 {BN} lReLU",
        f"upconv 32 stride 2 {BN} lReLU",
        "upconv 1 stride 2",
    ]


def test_table_6() -> None:
    model = InfoGANLarge((1, 64, 64))
    assert (model.n_continuous, model.categories, model.n_noise) == (4, (3,), 128)
    assert layers(model.trunk) == [
        "conv 64 stride 2 lReLU",
        f"conv 128 stride 2 {BN} lReLU",
        f"conv 256 stride 2 {BN} lReLU",
        f"conv 256 stride 1 {BN} lReLU",
        f"conv 256 stride 1 {BN} lReLU",
        f"FC 1024 {BN} lReLU",
    ]
    assert layers(model.generator) == [
        f"FC 1024 {BN} ReLU",
        f"FC {8 * 8 * 256} {BN} ReLU",
        f"conv 256 stride 1 {BN} lReLU",
        f"conv 256 stride 1 {BN} lReLU",
        f"upconv 128 stride 2 {BN} lReLU",
        f"upconv 64 stride 2 {BN} lReLU",
        "upconv 1 stride 2",
    ]


def test_critic_of_info_wgan_gp() -> None:
    model = InfoGAN2DShapes((1, 64, 64), normalization="layer")
    assert layers(model.trunk)[1:] == [
        "conv 32 stride 2 lReLU",
        "conv 64 stride 2 lReLU",
        "conv 64 stride 2 lReLU",
        "FC 128 layernorm lReLU",
    ]
    usual = InfoGAN2DShapes((1, 64, 64))
    assert layers(model.generator) == layers(usual.generator)
    assert layers(model.recognition) == layers(usual.recognition)
