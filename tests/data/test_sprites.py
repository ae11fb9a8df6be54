"""The renderer against real images, and against an independent one."""

import math

import numpy as np
import pytest
import torch
from matplotlib.path import Path as Outline

from disvae.data import DSprites, Sprites
from disvae.data.sprites import polygon


def test_order_and_sizes_are_dsprites() -> None:
    data = Sprites()
    assert len(data) == 737_280
    assert data.space.sizes == (3, 6, 40, 32, 32)
    assert data.factors([0, 1, 32, 32 * 32]).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 1, 0],
        [0, 0, 1, 0, 0],
    ]


def test_agrees_with_real_images(shared_data) -> None:
    with np.load(shared_data / "dsprites_reference" / "dsprites_8_images.npz") as archive:
        images, values = archive["imgs"], archive["latents_values"][:, 1:]
    data = Sprites()
    steps = np.array([1.0, 0.1, 2 * math.pi / 39, 1 / 31, 1 / 31])
    factors = ((values - [1, 0.5, 0, 0, 0]) / steps).round().astype(int)
    indices = data.space.indices(factors)
    np.testing.assert_allclose(data.latent_values(indices).numpy(), values, atol=1e-6)
    wrong = (data.images(indices).numpy()[:, 0] != images).sum()
    assert images.sum() == 1321
    assert wrong <= 2  # 0.15 % of the pixels that are on
    ours, real = data.images(indices).float(), torch.from_numpy(images)[:, None].float()
    for these, those in ((ours, real), (real, ours)):  # none is more than one pixel off
        assert (these <= torch.nn.functional.max_pool2d(those, 3, stride=1, padding=1)).all()


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_agrees_with_another_renderer(shape: int) -> None:
    # matplotlib's point-in-polygon test on the whole grid of pixels, with its own rotation.
    data = Sprites()
    generator = torch.Generator().manual_seed(shape)
    factors = data.space.sample(40, generator, fixed={"shape": shape})
    images = data.images(data.space.indices(factors))[:, 0].numpy()
    centres = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1)
    for image, (_, scale, angle, x, y) in zip(
        images, data.latent_values(data.space.indices(factors)).tolist(), strict=True
    ):
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        outline = scale * polygon(shape + 1) @ turn.T + [16 + 32 * x, 16 + 32 * y]
        expected = Outline(outline).contains_points(centres.reshape(-1, 2)).reshape(64, 64)
        assert (image != expected).sum() == 0


def test_pictures_are_what_their_factors_say() -> None:
    data = Sprites()

    def image(*factors: int) -> torch.Tensor:
        return data.images(data.space.indices([factors]))[0, 0].double()

    for shape in range(3):
        sizes = [image(shape, scale, 7, 15, 15).sum() for scale in range(6)]
        assert sizes == sorted(sizes)
        assert (sizes[-1] / sizes[0]).item() == pytest.approx(4, rel=0.15)  # twice the length
        lines, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
        left, right = (image(shape, 3, 0, x, 16) for x in (0, 31))
        moved = (right * columns).sum() / right.sum() - (left * columns).sum() / left.sum()
        assert moved.item() == pytest.approx(32, abs=0.5)
        top, bottom = (image(shape, 3, 0, 16, y) for y in (0, 31))
        moved = (bottom * lines).sum() / bottom.sum() - (top * lines).sum() / top.sum()
        assert moved.item() == pytest.approx(32, abs=0.5)


def test_full_turn_looks_the_same() -> None:
    data = Sprites()
    factors = data.space.sample(50, torch.Generator().manual_seed(0))
    first, last = factors.clone(), factors.clone()
    first[:, 2], last[:, 2] = 0, 39
    difference = data.images(data.space.indices(first)) != data.images(data.space.indices(last))
    assert difference.sum() <= 5  # pixels on an edge, by rounding


def test_an_item_is_an_image_and_its_factors() -> None:
    data = Sprites()
    image, factors = data[400_000]
    assert image.shape == (1, 64, 64)
    assert image.dtype == torch.float32
    assert set(image.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(factors, data.factors([400_000])[0])
    raw = data.images([400_000])
    assert raw.dtype == torch.uint8
    assert torch.equal(raw[0].float(), image)
    assert torch.equal(data[-1][1], torch.tensor([2, 5, 39, 31, 31]))
    with pytest.raises(IndexError, match="737280"):
        data[737_280]


def test_order_and_number_of_indices_change_no_picture() -> None:
    data = Sprites()
    indices = torch.randint(len(data), (5000,), generator=torch.Generator().manual_seed(0))
    images = data.images(indices)
    assert torch.equal(images.flip(0), data.images(indices.flip(0)))
    assert torch.equal(images[17:18], data.images(indices[17:18]))
    assert data.images([]).shape == (0, 1, 64, 64)


def test_interchangeable_with_dsprites() -> None:
    names = {name for name in vars(DSprites) if not name.startswith("_")}
    assert names <= set(dir(Sprites()))
    assert Sprites().image_shape == DSprites.image_shape
    assert Sprites().max_value == DSprites.max_value


@pytest.mark.parametrize("size", [32, 16])
def test_small_images_are_area_averages_of_the_large_ones(size: int) -> None:
    large, small = Sprites(), Sprites(size=size)
    indices = torch.randint(len(large), (200,), generator=torch.Generator().manual_seed(0))
    averages = torch.nn.functional.avg_pool2d(large.images(indices).float(), 64 // size)
    assert torch.equal(small.images(indices).float() / small.max_value, averages)
    assert small.image_shape == (1, size, size)
    image, factors = small[5]
    assert torch.equal(factors, large[5][1])
    assert torch.equal(image, small.images([5])[0].float() / small.max_value)


def test_unknown_size_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="sizes 64, 32, 16, got size=48"):
        Sprites(size=48)
