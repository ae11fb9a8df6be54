import pytest
import torch

from disvae.plots.grid import image_grid


def test_images_are_laid_out_in_rows_within_white_lines():
    images = torch.arange(6.0).view(2, 3, 1, 1, 1).expand(2, 3, 1, 4, 5) / 10
    picture = image_grid(images)
    assert picture.shape == (2 * 6, 3 * 7, 3)
    for row in range(2):
        for column in range(3):
            cell = picture[6 * row : 6 * row + 6, 7 * column : 7 * column + 7]
            assert (cell[1:-1, 1:-1] == images[row, column, 0, 0, 0]).all()
            assert (cell[[0, -1]] == 1).all()
            assert (cell[:, [0, -1]] == 1).all()


def test_values_are_cut_off_and_colours_kept():
    images = torch.tensor([-1.0, 0.5, 2.0]).view(1, 1, 3, 1, 1)
    assert image_grid(images)[1, 1].tolist() == [0.0, 0.5, 1.0]


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="1 or 3 channels, got 2"):
        image_grid(torch.zeros(1, 1, 2, 4, 4))
