import io

import pytest
import torch
from painted import PaintedImages, PaintedVAE, codes_shown, picture

from disvae.plots import interpolate, interpolation_figure

A, B = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[0.0, 2.0, -1.0]])


@pytest.mark.parametrize("path", ["linear", "spherical", "dimensions"])
def test_begins_and_ends_at_the_codes(path):
    codes = interpolate(torch.cat([A, B]), torch.cat([B, A]), 7, path)
    assert codes.shape == (2, 7, 3)
    torch.testing.assert_close(codes[:, 0], torch.cat([A, B]))
    torch.testing.assert_close(codes[:, -1], torch.cat([B, A]))


def test_paths():
    half = interpolate(A, B, 3, "linear")[0, 1]
    torch.testing.assert_close(half, torch.tensor([1.0, 1.0, -0.5]))
    c = torch.tensor([[0.0, 2.0, 0.0]])
    lengths = interpolate(A, c, 9, "spherical").norm(dim=-1)
    torch.testing.assert_close(lengths, torch.full((1, 9), 2.0))  # a quarter of a circle
    torch.testing.assert_close(
        interpolate(A, -A, 3, "spherical")[0], torch.cat([A, 0 * A, -A])
    )  # no circle is the shortest
    torch.testing.assert_close(interpolate(A, A, 3, "spherical")[0], A.expand(3, 3))


def test_one_dimension_after_another_at_an_even_pace():
    codes = interpolate(A, B, 6, "dimensions", order=[2, 0, 1])[0]  # 1 + 2 + 2 = 5 in all
    expected = [[2, 0, 0], [2, 0, -1], [1, 0, -1], [0, 0, -1], [0, 1, -1], [0, 2, -1]]
    torch.testing.assert_close(codes, torch.tensor(expected).float())
    assert torch.equal(interpolate(A, A, 4, "dimensions")[0], A.expand(4, 3))


def test_the_figure_shows_both_images_and_the_way():
    first, last = (PaintedImages().floats(torch.tensor(i)) for i in ([0, 62], [124, 64]))
    figure = interpolation_figure(PaintedVAE(), first, last, 5, labels=["0 to 124", "62 to 64"])
    figure.savefig(io.BytesIO(), format="png")
    codes = codes_shown(picture(figure), rows=2, columns=7)
    way = torch.tensor([-2.0, -2, -1, 0, 1, 2, 2])
    torch.testing.assert_close(codes[0], way[:, None].expand(7, 3))
    torch.testing.assert_close(codes[1, :, 2], torch.tensor([0.0, 0, 0.5, 1, 1.5, 2, 2]))
    axes = figure.axes[0]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == ["image", "0", "0.25", "0.5", "0.75", "1", "image"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0 to 124", "62 to 64"]


def test_a_way_has_two_ends():
    with pytest.raises(ValueError, match="at least 2 steps, got 1"):
        interpolate(A, B, 1)
