"""The network of the cycle-consistent VAE: the original's layers, and two parts of the code."""

import pytest
import torch
from torch import nn

from disvae.models import JhaVAE

SHAPE = (1, 28, 28)


def test_layers_are_those_of_the_original() -> None:
    model = JhaVAE(SHAPE)
    sizes = [(m.in_channels, m.out_channels) for m in model.encoder if isinstance(m, nn.Conv2d)]
    assert sizes == [(1, 16), (16, 32), (32, 64)]
    linear = [(m.in_features, m.out_features) for m in model.modules() if isinstance(m, nn.Linear)]
    assert linear == [(256, 64), (16, 256), (16, 256)]
    up = [m.out_channels for m in model.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert up == [32, 16, 1]


def test_the_last_dimensions_are_the_specified_part() -> None:
    model = JhaVAE(SHAPE, latent_dim=7, specified=2)
    assert [layer.in_features for layer in model.decoder.inputs] == [5, 2]
    z = torch.zeros(1, 7, requires_grad=True)
    model.decoder.inputs[1](z[:, 5:]).sum().backward()
    assert z.grad[0].nonzero()[:, 0].tolist() == [5, 6]


def test_evaluation_computes_what_training_does() -> None:
    model, x = JhaVAE(SHAPE), torch.rand(4, *SHAPE)
    assert torch.equal(model.train().represent(x), model.eval().represent(x))


@pytest.mark.parametrize("specified", [0, 8, -1])
def test_both_parts_need_a_dimension(specified: int) -> None:
    with pytest.raises(ValueError, match="both parts"):
        JhaVAE(SHAPE, latent_dim=8, specified=specified)
