"""The residual network: its size, its blocks, its scale."""

import pytest
import torch
from torch import nn

from disvae.models import ResidualVAE
from disvae.models.residual import ResidualBlock


def test_channels() -> None:
    model = ResidualVAE((3, 64, 64), width=8)
    blocks = [m for m in model.encoder.modules() if isinstance(m, ResidualBlock)]
    sizes = [(m.first.in_channels, m.second.out_channels) for m in blocks]
    assert sizes == [(8, 8), (8, 16), (16, 32), (32, 32)]
    blocks = [m for m in model.decoder.modules() if isinstance(m, ResidualBlock)]
    sizes = [(m.first.in_channels, m.second.out_channels) for m in blocks]
    assert sizes == [(32, 32), (32, 16), (16, 8), (8, 8)]


def test_a_block_adds_to_its_input() -> None:
    block, x = ResidualBlock(4, 4), torch.randn(2, 4, 6, 6)
    before = x.clone()
    nn.init.zeros_(block.second.weight)
    nn.init.zeros_(block.second.bias)
    assert torch.equal(block(x), before)  # negative numbers too: no ReLU on the way
    assert torch.equal(x, before)  # not changed in place


@pytest.mark.parametrize("side", [16, 64, 256])
def test_depth_does_not_change_the_scale(side) -> None:
    model = ResidualVAE((1, side, side), width=8)
    assert 0.3 < model.decode(torch.randn(20, 10)).std() < 4


def test_width_is_positive() -> None:
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        ResidualVAE((1, 16, 16), width=0)


def test_codes_depend_on_the_image() -> None:
    # Blocks of equal pixels: averages over neighbours leave little of independent ones.
    images = torch.rand(50, 1, 8, 8).round().repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert ResidualVAE((1, 64, 64)).represent(images).std(0).mean() > 0.1
