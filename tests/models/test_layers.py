"""The first weights keep the scale of the signal from one ReLU to the next."""

import pytest
import torch
from torch import nn

from disvae.models.layers import draw_weights, fully_connected


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(300, 400), (200, 300)),
        (nn.Conv2d(16, 32, kernel_size=4, stride=2), (20, 16, 30, 30)),
        (nn.ConvTranspose2d(32, 16, kernel_size=4, stride=2, padding=1), (20, 32, 30, 30)),
        (nn.ConvTranspose2d(32, 1, kernel_size=4, stride=2, padding=1), (200, 32, 30, 30)),
        (nn.ConvTranspose2d(16, 32, kernel_size=3, padding=1), (20, 16, 30, 30)),
    ],
)
def test_variance_is_kept(layer, shape) -> None:
    # He et al. 2015, equation 10: Var[y] = 2 E[x^2] = Var[x] for a symmetric x before its ReLU.
    torch.manual_seed(0)
    x = torch.randn(shape)
    draw_weights(layer)
    y = layer(x.relu())
    inside = y[..., 4:-4, 4:-4] if y.dim() == 4 else y  # the border has fewer inputs
    assert inside.square().mean().item() == pytest.approx(1, abs=0.25)
    assert layer.bias.abs().max() == 0


def test_empty_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 unit"):
        fully_connected([4, 0, 2])
