import pytest
import torch
from painted import SHAPE, mirrored_vae

from disvae import BurgessVAE
from disvae.plots import swap, swap_figure


def test_each_cell_decodes_the_code_of_both_parts():
    rows, columns = torch.rand(3, *SHAPE), torch.rand(5, *SHAPE)
    images = swap(mirrored_vae(), rows, columns, dimensions=[0, 3])
    assert images.shape == (3, 5, *SHAPE)
    assert not images.requires_grad
    for i in range(3):
        for j in range(5):
            a, b = rows[i].flatten(), columns[j].flatten()
            code = torch.stack([a[0], b[1], b[2], a[3]])
            torch.testing.assert_close(images[i, j].flatten(), code.flip(0))


def test_an_image_swapped_with_itself_is_its_reconstruction():
    model, x = BurgessVAE((3, 16, 16), latent_dim=3), torch.rand(4, 3, 16, 16)
    images = swap(model, x, x, dimensions=[1])
    diagonal = images[torch.arange(4), torch.arange(4)]
    torch.testing.assert_close(diagonal, model.reconstruct(x).detach())


def test_the_picture_has_the_images_at_its_edges_and_each_cell_in_its_place():
    rows, columns = torch.rand(2, *SHAPE), torch.rand(3, *SHAPE)
    figure = swap_figure(mirrored_vae(), rows, columns, [0, 3], parts=("style", "content"))
    axes = figure.axes[0]
    picture = torch.as_tensor(axes.images[0].get_array().data)[..., 0]
    cell, gap = 4, 3  # two pixels and their frame; the gap between images and swaps
    assert picture.shape == (3 * cell + gap, 4 * cell + gap)

    def shown(row: int, column: int) -> torch.Tensor:
        top = row * cell + (gap if row else 0) + 1
        left = column * cell + (gap if column else 0) + 1
        return picture[top : top + 2, left : left + 2]

    assert shown(0, 0).eq(1).all()
    swapped = swap(mirrored_vae(), rows, columns, [0, 3])
    for i in range(2):
        torch.testing.assert_close(shown(i + 1, 0), rows[i, 0])
        for j in range(3):
            torch.testing.assert_close(shown(0, j + 1), columns[j, 0])
            torch.testing.assert_close(shown(i + 1, j + 1), swapped[i, j, 0])
    assert axes.get_xlabel() == "style of the image on the left, content of the image above"


def test_parts_without_names_go_by_their_numbers():
    x = torch.rand(1, *SHAPE)
    label = swap_figure(mirrored_vae(), x, x, [2]).axes[0].get_xlabel()
    assert label == "dimension 2 of the image on the left, dimensions 0, 1, 3 of the image above"


@pytest.mark.parametrize("wrong", [[], [0, 1, 2, 3], [4], [-1], [1, 1]])
def test_a_part_is_some_dimensions_and_not_all(wrong):
    x = torch.rand(1, *SHAPE)
    with pytest.raises(ValueError, match="some, but not all, of the dimensions 0 to 3"):
        swap(mirrored_vae(), x, x, wrong)
