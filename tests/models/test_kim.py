"""The networks of Kim and Mnih's three tables."""

import pytest
from torch import nn

from disvae import KimVAE
from disvae.likelihoods import Gaussian


def layers(module: nn.Module) -> list[str]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    return [
        f"{type(m).__name__} {m.weight.shape[0]}x{m.weight.shape[1]}"
        for m in module.modules()
        if isinstance(m, kinds)
    ]


def test_layers_of_table_one() -> None:
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
        "Upconvolution 64x64",
        "Upconvolution 64x32",
        "Upconvolution 32x32",
        "Upconvolution 32x1",
    ]


@pytest.mark.parametrize(
    ("channels", "latent_dim", "hidden_dim", "expected"),
    [
        pytest.param(1, 10, 128, 498_005, id="table 1: 2D Shapes"),
        pytest.param(3, 6, 256, 763_215, id="table 2: 3D Shapes"),
        pytest.param(3, 10, 256, 766_295, id="table 2: CelebA, Chairs"),
        pytest.param(1, 10, 256, 764_245, id="table 3: 3D Faces"),
    ],
)
def test_number_of_parameters(channels, latent_dim, hidden_dim, expected) -> None:
    c, d, h = channels, latent_dim, hidden_dim
    convolutions = 16 * c * 32 + 32 + 16 * 32 * 32 + 32 + 16 * 32 * 64 + 64 + 16 * 64 * 64 + 64
    encoder = convolutions + 4 * 4 * 64 * h + h + h * 2 * d + 2 * d
    upconvolutions = 16 * 64 * 64 + 64 + 16 * 64 * 32 + 32 + 16 * 32 * 32 + 32 + 16 * 32 * c + c
    decoder = d * h + h + h * 4 * 4 * 64 + 4 * 4 * 64 + upconvolutions
    model = KimVAE((channels, 64, 64), latent_dim, hidden_dim)
    assert sum(p.numel() for p in model.parameters()) == encoder + decoder == expected
