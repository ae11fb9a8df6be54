"""dSprites' variants, over renderings: what is added, where, and that it stays."""

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.data import ColorSprites, NoisySprites, ScreamSprites, Sprites
from disvae.data.dataset import FactorDataset
from disvae.spec import build, describe

INDICES = torch.tensor([400_000, 0, 7, 700_000, 7])


@pytest.fixture
def painting(tmp_path):
    picture = np.random.default_rng(0).integers(256, size=(400, 300, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "scream.png")
    return tmp_path / "scream.png"


@pytest.fixture(params=["color", "noisy", "scream"])
def make(request, painting):
    if request.param == "scream":
        return lambda seed=0: ScreamSprites(Sprites(), painting, seed)
    return lambda seed=0: {"color": ColorSprites, "noisy": NoisySprites}[request.param](
        Sprites(), seed
    )


def test_factors_are_those_of_the_data_set(make) -> None:
    data, sprites = make(), Sprites()
    assert len(data) == len(sprites)
    assert data.space == sprites.space
    assert data.image_shape == (3, 64, 64)
    assert data.max_value == 255
    assert torch.equal(data.factors(INDICES), sprites.factors(INDICES))
    assert data[7][1].tolist() == sprites[7][1].tolist()


def test_an_image_depends_on_the_seed_and_its_index_alone(make) -> None:
    images = make().images(INDICES)
    assert torch.equal(images[2], images[4])
    assert torch.equal(make().images([7, 700_000]), images[[2, 3]])
    assert not torch.equal(make(seed=1).images([7]), images[[2]])
    state = torch.random.get_rng_state()
    make().images([3])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert make().images([]).shape == (0, 3, 64, 64)


def test_described_with_the_data_set(make) -> None:
    data = make(3)
    again = build(describe(data), FactorDataset)
    assert torch.equal(again.images([5]), data.images([5]))


def test_one_colour_from_half_to_full() -> None:
    indices = torch.arange(0, 737_280, 5_000)
    images, masks = ColorSprites(Sprites()).images(indices), Sprites().images(indices)
    assert torch.equal(images * (1 - masks), torch.zeros_like(images))
    colours = (images.amax((2, 3)), (images + 255 * (1 - masks)).amin((2, 3)))
    assert torch.equal(*colours)
    assert colours[0].min() >= 127
    assert (colours[0] / 255.0).mean() == pytest.approx(0.75, abs=0.02)
    assert (colours[0] / 255.0).std() == pytest.approx(0.5 / 12**0.5, abs=0.02)


def test_white_on_uniform_noise() -> None:
    indices = torch.arange(0, 737_280, 20_000)
    images, masks = NoisySprites(Sprites()).images(indices), Sprites().images(indices)
    sprite = masks.expand_as(images) == 1
    assert images[sprite].min() == 255
    noise = images[~sprite].double() / 255
    assert noise.mean() == pytest.approx(1 / 2, abs=0.005)
    assert noise.var() == pytest.approx(1 / 12, abs=0.002)
    red, green = images[:, 0].double().flatten(), images[:, 1].double().flatten()
    background = ~sprite[:, 0].flatten()
    assert torch.corrcoef(torch.stack([red, green])[:, background])[0, 1].abs() < 0.02


def test_a_patch_inverted_where_the_sprite_is(painting) -> None:
    data, sprites = ScreamSprites(Sprites(), painting), Sprites()
    with Image.open(painting) as picture:
        picture.thumbnail((350, 274))
        small = np.asarray(picture).transpose(2, 0, 1) / 255
    assert small.shape == (3, 274, 205)
    image, mask = data.images([7])[0].numpy() / 255, sprites.images([7])[0, 0].numpy() == 1
    background = np.where(mask, 1 - image, image)
    # The patch and the colour are found again: only in the right place is the rest one colour.
    patches = np.lib.stride_tricks.sliding_window_view(small, (64, 64), (1, 2))
    spread = [
        [
            (2 * background - patches[:, top, left])[:, ::9, ::9].std((1, 2)).max()
            for left in range(142)
        ]
        for top in range(211)
    ]
    top, left = np.unravel_index(np.argmin(spread), (211, 142))
    colour = 2 * background - patches[:, top, left]
    assert colour.std((1, 2)).max() < 0.01  # of the order of rounding to bytes
    assert colour.min() > -0.01
    assert colour.max() < 1.01


def test_missing_painting_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DISVAE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"scream/scream\.jpg: such as https"):
        ScreamSprites(Sprites())
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        ScreamSprites(Sprites(), tmp_path / "nowhere.png")


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_damaged_painting_is_named(keep, painting) -> None:
    painting.write_bytes(painting.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"scream\.png is damaged"):
        ScreamSprites(Sprites(), painting)


def test_small_painting_is_refused(painting) -> None:
    Image.new("RGB", (100, 60)).save(painting)
    with pytest.raises(ValueError, match=r"\(60, 100\), less than an image"):
        ScreamSprites(Sprites(), painting)


def test_other_data_and_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match="binary images"):
        ColorSprites(Sprites(size=32))
    with pytest.raises(ValueError, match="binary images"):
        NoisySprites(ColorSprites(Sprites()))
    with pytest.raises(ValueError, match="seed >= 0"):
        NoisySprites(Sprites(), seed=-1)
