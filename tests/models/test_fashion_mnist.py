"""The pair for Fashion-MNIST: the original's layers, and 5 % of the parameters."""

from torch import nn

from disvae.models import FashionConvVAE, FashionMLPVAE


def linear_layers(module: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in module.modules() if isinstance(m, nn.Linear)]


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_fully_connected_layers() -> None:
    model = FashionMLPVAE((1, 28, 28))
    assert linear_layers(model.encoder) == [(784, 256), (256, 256), (256, 512), (512, 6)]
    assert linear_layers(model.decoder) == [(3, 256), (256, 512), (512, 784)]


def test_convolutional_layers() -> None:
    model = FashionConvVAE((1, 28, 28))
    channels = [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert channels == [16, 32, 32]
    assert linear_layers(model) == [(512, 6), (3, 512)]


def test_the_convolutional_one_has_five_percent_of_the_parameters() -> None:
    shape = (1, 28, 28)
    share = n_parameters(FashionConvVAE(shape)) / n_parameters(FashionMLPVAE(shape))
    assert 0.03 < share < 0.07
