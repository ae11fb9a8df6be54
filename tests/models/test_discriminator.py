import torch
from torch import nn

from disvae.models import Discriminator


def test_six_hidden_layers_of_a_thousand_units() -> None:
    discriminator = Discriminator(latent_dim=10)
    linear = [m for m in discriminator if isinstance(m, nn.Linear)]
    sizes = [(m.in_features, m.out_features) for m in linear]
    assert sizes == [(10, 1000), *[(1000, 1000)] * 5, (1000, 2)]
    slopes = {m.negative_slope for m in discriminator if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert discriminator(torch.randn(3, 10)).shape == (3, 2)
