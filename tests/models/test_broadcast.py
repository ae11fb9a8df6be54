"""The broadcast decoder against its definition: a layer of code and coordinates at each cell."""

import torch
from torch.nn import functional as F

from disvae.models import BroadcastDecoder, BroadcastVAE


def test_decoder_is_that_of_a_code_beside_coordinates_at_each_cell() -> None:
    decoder = BroadcastDecoder((2, 16, 24), latent_dim=3, channels=5).double()
    z = torch.randn(4, 3, dtype=torch.float64)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 4), torch.linspace(-1, 1, 6), indexing="ij")
    tiled = z[:, :, None, None].expand(4, 3, 4, 6)
    places = torch.stack([x, y]).double().expand(4, 2, 4, 6)
    first = decoder.cells[0]
    weight = torch.cat([first.code.weight, first.place.weight], dim=1)[:, :, None, None]
    h = F.conv2d(torch.cat([tiled, places], dim=1), weight, first.code.bias).relu()
    h = F.conv2d(h, decoder.cells[2].weight, decoder.cells[2].bias).relu()
    first_up, last_up = decoder.convolutions[1], decoder.convolutions[3]
    h = F.conv_transpose2d(h, first_up.weight, first_up.bias, stride=2, padding=1).relu()
    expected = F.conv_transpose2d(h, last_up.weight, last_up.bias, stride=2, padding=1)
    torch.testing.assert_close(decoder(z), expected)


def test_places_are_no_weights() -> None:
    """They follow the model to its device and type, and are not part of its state."""
    model = BroadcastVAE((1, 16, 16), latent_dim=3)
    assert not any("coordinates" in name for name in model.state_dict())
    assert model.double().decode(torch.zeros(1, 3, dtype=torch.float64)).dtype == torch.float64
