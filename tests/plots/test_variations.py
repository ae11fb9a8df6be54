import pytest
import torch
from painted import SHAPE, mirrored_vae

from disvae.plots import variations_figure, vary


def test_each_cell_decodes_what_is_kept_and_a_draw_that_all_rows_share():
    x, model = torch.rand(3, *SHAPE), mirrored_vae()
    images = vary(model, x, dimensions=[0, 3], n=5, seed=2)
    draws = model.draw(5, torch.Generator().manual_seed(2))
    assert images.shape == (3, 5, *SHAPE)
    assert not images.requires_grad
    for i in range(3):
        for j in range(5):
            a, b = x[i].flatten(), draws[j]
            code = torch.stack([a[0], b[1], b[2], a[3]])
            torch.testing.assert_close(images[i, j].flatten(), code.flip(0))


def test_draws_are_those_of_the_seed():
    x, model = torch.rand(2, *SHAPE), mirrored_vae()
    before = torch.get_rng_state()
    first, again, other = (vary(model, x, [0], seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_the_picture_has_each_image_on_the_left_of_its_row():
    x, model = torch.rand(2, *SHAPE), mirrored_vae()
    picture = variations_figure(model, x, [0, 3], n=3).axes[0].images[0].get_array().data
    picture = torch.as_tensor(picture)[..., 0]
    cell, gap = 4, 3  # two pixels and their frame; the gap after the images
    assert picture.shape == (2 * cell, 4 * cell + gap)
    varied = vary(model, x, [0, 3], n=3).clamp(0, 1)
    for i in range(2):
        top = i * cell + 1
        torch.testing.assert_close(picture[top : top + 2, 1:3], x[i, 0])
        for j in range(3):
            left = (j + 1) * cell + gap + 1
            torch.testing.assert_close(picture[top : top + 2, left : left + 2], varied[i, j, 0])


def test_what_cannot_be_varied_is_refused():
    x, model = torch.rand(2, *SHAPE), mirrored_vae()
    with pytest.raises(ValueError, match="not all"):
        vary(model, x, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="at least one draw"):
        vary(model, x, [0], n=0)
