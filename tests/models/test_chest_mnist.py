"""The ChestMNIST network, against its description layer by layer."""

import pytest
import torch
from torch import nn

from disvae.models import ChestMNISTVAE

ENCODER = """
    Conv2d 128x1 s2, LeakyReLU, Conv2d 256x128 s2, LeakyReLU, Conv2d 512x256 s1, BatchNorm2d,
    LeakyReLU, Linear 256x25088, LeakyReLU, Linear 128x256, LeakyReLU, Linear 64x128, LeakyReLU,
    Linear 8x64, Linear 256x25088, LeakyReLU, Linear 128x256, LeakyReLU, Linear 64x128, LeakyReLU,
    Linear 8x64"""
DECODER = """
    Linear 128x8, LeakyReLU, Linear 256x128, LeakyReLU, Linear 512x256, LeakyReLU, Linear 50176x512,
    LeakyReLU, ConvTranspose2d 1024x512 s1, BatchNorm2d, LeakyReLU, ConvTranspose2d 512x256 s1,
    BatchNorm2d, LeakyReLU, ConvTranspose2d 256x128 s2, BatchNorm2d, LeakyReLU,
    ConvTranspose2d 128x1 s2"""


def layers(network: nn.Module) -> list[str]:
    return [
        describe(m)
        for m in network.modules()
        if not list(m.children()) and not isinstance(m, (nn.Flatten, nn.Unflatten))
    ]


def describe(m: nn.Module) -> str:
    text = type(m).__name__
    if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        text += f" {m.weight.shape[0]}x{m.weight.shape[1]}"
    if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
        assert m.kernel_size == (3, 3)
        text += f" s{m.stride[0]}"
    return text


def test_layers() -> None:
    model = ChestMNISTVAE((1, 28, 28))
    assert layers(model.encoder) == " ".join(ENCODER.split()).split(", ")
    assert layers(model.decoder) == " ".join(DECODER.split()).split(", ")
    slopes = {m.negative_slope for m in model.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    modes = {m.padding_mode for m in model.encoder.modules() if isinstance(m, nn.Conv2d)}
    assert modes == {"replicate"}


def test_number_of_parameters() -> None:
    convolutions = 9 * 1 * 128 + 128 + 9 * 128 * 256 + 256 + 9 * 256 * 512 + 512 + 2 * 512
    head = 512 * 7 * 7 * 256 + 256 + 256 * 128 + 128 + 128 * 64 + 64 + 64 * 8 + 8
    connected = 8 * 128 + 128 + 128 * 256 + 256 + 256 * 512 + 512 + 512 * 50176 + 50176
    upconvolutions = 9 * 1024 * 512 + 512 + 9 * 512 * 256 + 256 + 9 * 256 * 128 + 128 + 9 * 128 + 1
    normalizations = 2 * (512 + 256 + 128)
    expected = convolutions + 2 * head + connected + upconvolutions + normalizations
    assert sum(p.numel() for p in ChestMNISTVAE((1, 28, 28)).parameters()) == expected


def test_error_says_what_to_use() -> None:
    with pytest.raises(ValueError, match=r"28 x 28 pixels, got 64 x 64: .* BurgessVAE"):
        ChestMNISTVAE((1, 64, 64))


def test_a_border_of_zeros_is_not_added() -> None:
    # Replicated borders: a constant image is constant after each convolution.
    maps = ChestMNISTVAE((1, 28, 28)).encoder.convolutions[:6](torch.ones(2, 1, 28, 28))
    torch.testing.assert_close(maps, maps[:, :, :1, :1].expand_as(maps))
