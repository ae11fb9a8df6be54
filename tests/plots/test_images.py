import io

import pytest
import torch

from disvae.plots import images_figure


def shown(figure, row: int, column: int, cell: tuple[int, int], above: int) -> torch.Tensor:
    picture = torch.as_tensor(figure.axes[0].images[0].get_array().data)
    down, across = row * cell[0], column * cell[1]
    part = picture[down + 1 + above : down + cell[0] - 1, across + 1 : across + cell[1] - 1]
    return part.permute(2, 0, 1)


def test_each_image_stands_in_its_place_below_its_caption():
    images = torch.rand(2, 3, 3, 10, 8)
    captions = [str(i) for i in range(6)]
    figure = images_figure(images, captions, ["upper", "lower"])
    figure.savefig(io.BytesIO(), format="png")
    axes = figure.axes[0]
    above = 2
    for row in range(2):
        for column in range(3):
            cell = shown(figure, row, column, (14, 10), above)
            assert torch.equal(cell, images[row, column])
            text = axes.texts[3 * row + column]
            assert text.get_text() == str(3 * row + column)
            x, y = text.get_position()
            assert (x + 0.5) // 10 == column
            assert 14 * row - 0.5 < y < 14 * row + above + 0.5
    assert [label.get_text() for label in axes.get_yticklabels()] == ["upper", "lower"]


def test_a_pixel_of_an_image_is_as_large_as_asked_for():
    images = torch.rand(1, 2, 1, 10, 8)
    figure = images_figure(images, scale=3)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    import imageio.v3 as imageio

    written = torch.as_tensor(imageio.imread(buffer.getvalue()))
    assert written.shape[:2] == (12 * 3 + 2 * 20, 20 * 3 + 2 * 20)  # and 0.1 inches around
    pixels = (images[0, 0, 0] * 255).round()
    first = written[23:53:3, 23:47:3, 0]  # within its frame
    assert (first - pixels).abs().max() <= 1
    assert torch.equal(first, written[25:55:3, 25:49:3, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"captions": ["a"]}, "expected 2 texts, got 1"),
        ({"row_labels": ["a", "b"]}, "expected 1 texts, got 2"),
        ({"scale": 0}, "scale must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        images_figure(torch.rand(1, 2, 1, 4, 4), **arguments)
