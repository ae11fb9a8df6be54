import pytest
import torch
from painted import STD, PaintedImages, PaintedVAE
from torch import nn

from disvae import VAE
from disvae.data import ImageArray, random_subset
from disvae.plots import Dimensions, describe_dimensions


def test_the_kl_is_the_closed_form_and_each_dimension_knows_its_factor():
    known = describe_dimensions(PaintedVAE(), PaintedImages())
    var = torch.tensor(STD).double() ** 2
    expected = 0.5 * (2.0 + var - 1 - var.log())  # E[mean²] = (4 + 1 + 0 + 1 + 4) / 5
    torch.testing.assert_close(known.kl, expected.float())
    assert known.called == ["red", "green light", "blue"]
    assert known.order() == [2, 1, 0]
    assert known.order(2) == [2, 1]
    assert known.label(1) == f"dimension 1\n{expected[1]:.2f} nats\ngreen light"


class Mixed(nn.Module):
    """Dimension 0 is collapsed, 1 noise that no factor explains, 2 knows blue."""

    def forward(self, x):
        a, b, c, _ = (10 * (x.flatten(1) - 0.5)).T
        noise = (1e4 * torch.sin(7 * a + 11 * b + 13 * c)) % 4 - 2
        mean = torch.stack([0 * a, noise, c], 1)
        return torch.cat([mean, torch.zeros_like(mean)], 1)


def test_what_knows_of_no_factor_gets_no_name():
    model = VAE(Mixed(), PaintedVAE().decoder, latent_dim=3)
    known = describe_dimensions(model, PaintedImages())
    assert known.called == ["", "", "blue"]
    assert known.label(0) == "dimension 0\n0.00 nats"
    assert [known.colour(j) for j in range(3)] == ["0.6", "black", "black"]


def test_factors_that_do_not_vary_and_data_without_any():
    alike = random_subset(PaintedImages(), 1, seed=0)
    assert describe_dimensions(PaintedVAE(), alike).called == ["", "", ""]
    images = PaintedImages().images(torch.arange(20)).numpy()
    assert describe_dimensions(PaintedVAE(), ImageArray(images)).called == ["", "", ""]


def test_there_must_be_a_dimension_to_show():
    with pytest.raises(ValueError, match="at least 1 dimension, got 0"):
        Dimensions(torch.ones(2), ["", ""]).order(0)
