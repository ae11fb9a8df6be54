import io

import matplotlib.pyplot as plt
import pytest
import torch
from painted import STD, PaintedImages, PaintedVAE, code_of, codes_shown, picture
from torch import nn

from disvae import VAE, BurgessVAE
from disvae.likelihoods import Gaussian
from disvae.plots import mean_kl, traversal_figure, traversal_values, traverse

SHAPE = (1, 2, 2)


class Moments(nn.Module):
    """Codes are twice the first two pixels; the standard deviations are 1 and 1/2."""

    def forward(self, x):
        pixels = x.flatten(1)[:, :2]
        log_var = torch.tensor([0.0, 0.25]).log().nan_to_num(neginf=0.0).expand_as(pixels)
        return torch.cat([2 * pixels, log_var], 1)


class Paint(nn.Module):
    """The code, its sum and its difference, as the four pixels."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z):
        a, b = (self.scale * z).T
        return torch.stack([a, b, a + b, a - b], 1).view(-1, *SHAPE)


def make_model() -> VAE:
    return VAE(Moments(), Paint(), latent_dim=2, likelihood=Gaussian())


def test_one_dimension_moves_and_the_others_stay_at_the_posterior_mean():
    x = torch.tensor([0.1, 0.2, 0.0, 0.0]).view(SHAPE)  # the code (0.2, 0.4)
    images = traverse(make_model(), x, values=[-1.0, 0.0, 3.0])
    assert images.shape == (2, 3, *SHAPE)
    assert not images.requires_grad
    for v, value in enumerate([-1.0, 0.0, 3.0]):
        moved = torch.tensor([value, 0.4, value + 0.4, value - 0.4])
        torch.testing.assert_close(images[0, v].flatten(), moved)
        moved = torch.tensor([0.2, value, 0.2 + value, 0.2 - value])
        torch.testing.assert_close(images[1, v].flatten(), moved)


@pytest.mark.untyped
def test_the_image_must_be_one():
    with pytest.raises(ValueError, match="one image"):
        traverse(make_model(), torch.zeros(1, *SHAPE))


def test_mean_kl_is_the_closed_form():
    x = torch.rand(7, *SHAPE)
    kl = mean_kl(make_model(), x, batch_size=3)
    mean, var = 2 * x.flatten(1)[:, :2].double(), torch.tensor([1.0, 0.25]).double()
    expected = (0.5 * (mean**2 + var - 1 - var.log())).mean(0)
    torch.testing.assert_close(kl.double(), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_rows_are_sorted_by_kl_and_labelled(channels):
    model = BurgessVAE((channels, 16, 16), latent_dim=3)
    kl = torch.tensor([0.5, 2.25, 0.001])
    figure = traversal_figure(model, torch.rand(channels, 16, 16), kl)
    labels = figure.axes[0].get_yticklabels()
    texts = ["dimension 1\n2.25 nats", "dimension 0\n0.50 nats", "dimension 2\n0.00 nats"]
    assert [label.get_text() for label in labels] == texts
    assert [label.get_color() for label in labels] == ["black", "black", "0.6"]

    picture = figure.axes[0].images[0].get_array()
    expected = traverse(model, torch.zeros(channels, 16, 16))[1, -1]
    figure = traversal_figure(model, torch.zeros(channels, 16, 16), kl)
    picture = torch.as_tensor(figure.axes[0].images[0].get_array().data)
    shown = picture[1:17, -17:-1].permute(2, 0, 1)  # the last of the first row, within its frame
    torch.testing.assert_close(shown, expected.expand(3, 16, 16))


def test_the_labels_lie_within_the_figure_and_pyplot_is_not_touched():
    model = BurgessVAE((1, 16, 16), latent_dim=12)
    figure = traversal_figure(model, torch.rand(1, 16, 16), 10 * torch.rand(12))
    figure.savefig(io.BytesIO(), format="png")
    box = figure.axes[0].get_tightbbox()
    width, height = figure.get_size_inches() * figure.dpi
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    assert plt.get_fignums() == []


KL = torch.tensor([1.0, 3.0, 2.0])


def test_the_prior_is_traversed_from_its_mean():
    figure = traversal_figure(PaintedVAE(), None, KL, [-1.0, 3.0], ["red", "", "blue"], rows=2)
    codes = codes_shown(picture(figure), rows=2, columns=2)
    expected = [[[0, -1, 0], [0, 3, 0]], [[0, 0, -1], [0, 0, 3]]]
    torch.testing.assert_close(codes, torch.tensor(expected).float(), atol=1e-5, rtol=0)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["dimension 1\n3.00 nats", "dimension 2\n2.00 nats\nblue"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["-1", "3"]


@pytest.mark.parametrize("unit", ["code", "posterior"])
def test_every_image_has_its_row_in_each_dimension(unit):
    indices, values = [3, 77], [-1.0, 0.0, 1.0]
    x = PaintedImages().floats(torch.tensor(indices))
    figure = traversal_figure(PaintedVAE(), x, KL, values, unit=unit)
    codes = codes_shown(picture(figure), rows=6, columns=3)
    for i, j in enumerate([1, 2, 0]):
        for s, index in enumerate(indices):
            for v, value in enumerate(values):
                expected = code_of(index)
                expected[j] = value if unit == "code" else expected[j] + STD[j] * value
                shown = codes[2 * i + s, v].tolist()
                assert shown == pytest.approx(expected, abs=1e-4)
    assert len(figure.axes[0].get_yticklabels()) == 3  # one for both rows of a dimension


def test_the_range_is_absolute_from_a_half_on_and_a_quantile_below():
    assert traversal_values(0.5, 3) == [-0.5, 0.0, 0.5]
    normal = torch.distributions.Normal(0.0, 1.0)
    for reach in (0.1, 0.45, 0.475):
        low, middle, high = traversal_values(reach, 3)
        share = normal.cdf(torch.tensor(high)) - normal.cdf(torch.tensor(low))
        assert share.item() == pytest.approx(2 * reach, abs=1e-5)
        assert (low, middle) == (-high, 0)


@pytest.mark.parametrize(("reach", "n"), [(0.0, 5), (-1.0, 5), (2.0, 1)])
def test_a_range_must_be_one(reach, n):
    with pytest.raises(ValueError, match=r"must be positive|at least 2 values"):
        traversal_values(reach, n)
