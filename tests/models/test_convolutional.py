"""The convolutional networks for images of any size."""

import pytest
import torch
from torch import nn

from disvae import BurgessVAE, KimVAE


@pytest.mark.parametrize("network", [BurgessVAE, KimVAE])
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


def test_padding_is_invisible_outside() -> None:
    # 28 is padded by 2 on each side: the same as a 32×32 network on the padded image, cropped.
    small, large = BurgessVAE((1, 28, 28), 4), BurgessVAE((1, 32, 32), 4)
    large.load_state_dict(small.state_dict())
    x = torch.rand(2, 1, 28, 28)
    padded = nn.functional.pad(x, (2, 2, 2, 2))
    torch.testing.assert_close(small.represent(x), large.represent(padded))
    z = torch.randn(2, 4)
    torch.testing.assert_close(small.decode(z), large.decode(z)[:, :, 2:-2, 2:-2])
