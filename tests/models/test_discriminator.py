"""The discriminator: the paper's by default, and what else can be asked for."""

import pytest
import torch
from torch import nn

from disvae import FactorVAELoss
from disvae.models import Discriminator
from disvae.spec import build, describe


def names(discriminator: Discriminator) -> list[str]:
    return [type(m).__name__ for m in discriminator]


def test_six_hidden_layers_of_a_thousand_units() -> None:
    discriminator = Discriminator(latent_dim=10)
    linear = [m for m in discriminator if isinstance(m, nn.Linear)]
    sizes = [(m.in_features, m.out_features) for m in linear]
    assert sizes == [(10, 1000), *[(1000, 1000)] * 5, (1000, 2)]
    assert names(discriminator) == [*["Linear", "LeakyReLU"] * 6, "Linear"]
    slopes = {m.negative_slope for m in discriminator if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert discriminator(torch.randn(3, 10)).shape == (3, 2)


def test_weights_have_the_names_of_a_sequence() -> None:
    weights = Discriminator(latent_dim=3, hidden_dim=4, n_hidden=1).state_dict()
    assert list(weights) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_the_one_for_chest_mnist() -> None:
    discriminator = Discriminator(8, n_hidden=2, normalization="batch", dropout=0.3)
    hidden = ["Linear", "BatchNorm1d", "LeakyReLU", "Dropout"]
    assert names(discriminator) == [*hidden, *hidden, "Linear"]
    assert {m.p for m in discriminator if isinstance(m, nn.Dropout)} == {0.3}


def test_layer_normalization_and_slope() -> None:
    discriminator = Discriminator(5, 16, 1, normalization="layer", negative_slope=0.1)
    assert names(discriminator) == ["Linear", "LayerNorm", "LeakyReLU", "Linear"]
    assert discriminator[2].negative_slope == 0.1


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_description(normalization) -> None:
    discriminator = Discriminator(4, 16, 2, normalization, dropout=0.5, negative_slope=0.1)
    made = build(describe(discriminator), Discriminator)
    assert describe(made) == describe(discriminator)
    made.load_state_dict(discriminator.state_dict())
    z = torch.randn(6, 4)
    assert torch.equal(made.eval()(z), discriminator.eval()(z))


def test_description_within_a_loss() -> None:
    criterion = FactorVAELoss(4, discriminator=Discriminator(4, 16, 1, normalization="layer"))
    made = build(describe(criterion), FactorVAELoss)
    assert names(made.discriminator) == ["Linear", "LayerNorm", "LeakyReLU", "Linear"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_dim": 0}, "latent_dim=0"),
        ({"hidden_dim": 0}, "hidden_dim=0"),
        ({"n_hidden": -1}, "n_hidden=-1"),
        ({"normalization": "group"}, "one of none, batch, layer, got 'group'"),
        ({"dropout": 1.0}, "below 1, got 1.0"),
        ({"dropout": -0.1}, "probability"),
        ({"negative_slope": -0.2}, "negative_slope must be"),
    ],
)
@pytest.mark.untyped
def test_arguments_out_of_range(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        Discriminator(**{"latent_dim": 3, **arguments})


def test_codes_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"latent_dim=3 got codes of 4"):
        Discriminator(3, 8, 1)(torch.randn(2, 4))
