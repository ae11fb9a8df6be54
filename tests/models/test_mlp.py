"""The fully connected network."""

import pytest
import torch
from torch import nn

from disvae.models import MLPVAE


def linear_layers(module: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in module.modules() if isinstance(m, nn.Linear)]


def test_decoder_mirrors_the_encoder() -> None:
    model = MLPVAE((3, 4, 5), latent_dim=7, hidden=(40, 30, 20))
    assert linear_layers(model.encoder) == [(60, 40), (40, 30), (30, 20), (20, 14)]
    assert linear_layers(model.decoder) == [(7, 20), (20, 30), (30, 40), (40, 60)]


def test_without_hidden_layers_it_is_linear() -> None:
    model = MLPVAE((1, 3, 3), latent_dim=2, hidden=()).double()
    a, b = torch.randn(2, 4, 2, dtype=torch.float64)
    torch.testing.assert_close(model.decode(a + b), model.decode(a) + model.decode(b))


def test_hidden_layers_have_units() -> None:
    with pytest.raises(ValueError, match=r"at least 1 unit, got sizes \[9, 0, 4\]"):
        MLPVAE((1, 3, 3), latent_dim=2, hidden=(0,))
