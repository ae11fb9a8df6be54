"""The network of Burgess et al."""

from torch import nn

from disvae import BurgessVAE


def layers(module: nn.Module) -> list[str]:
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    return [
        f"{type(m).__name__} {m.weight.shape[0]}x{m.weight.shape[1]}"
        for m in module.modules()
        if isinstance(m, kinds)
    ]


def test_burgess_is_the_paper_s_network() -> None:
    model = BurgessVAE((1, 64, 64), latent_dim=10)
    convolutions = ["Conv2d 32x1", *["Conv2d 32x32"] * 3]
    assert layers(model.encoder) == [
        *convolutions,
        "Linear 256x512",
        "Linear 256x256",
        "Linear 20x256",
    ]
    assert layers(model.decoder) == [
        "Linear 256x10",
        "Linear 256x256",
        "Linear 512x256",
        *["Upconvolution 32x32"] * 3,
        "Upconvolution 32x1",
    ]
