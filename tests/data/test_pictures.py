"""Decoding, cropping and resizing, against torchvision's transforms."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from disvae.data.pictures import Pictures, find_folder


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, height, width in (("tall.png", 90, 60), ("wide.png", 61, 100), ("small.png", 20, 20)):
        Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8)).save(
            tmp_path / name
        )
    return tmp_path


@pytest.mark.parametrize(("crop", "cut"), [(None, 60), (40, 40), (59, 59), (57, 57)])
@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_as_torchvision_does_it(crop, cut, channels, mode, folder) -> None:
    images = Pictures(folder, ["wide.png", "tall.png"], 32, channels, crop).read(
        torch.tensor([1, 0, 1])
    )
    with Image.open(folder / "tall.png") as picture:
        steps = [transforms.CenterCrop(cut), transforms.Resize(32), transforms.PILToTensor()]
        expected = transforms.Compose(steps)(picture.convert(mode))
    assert images.shape == (3, channels, 32, 32)
    assert torch.equal(images[0], expected)
    assert torch.equal(images[0], images[2])


def test_no_pictures_asked_for(folder) -> None:
    assert Pictures(folder, ["tall.png"], 8, 3).read(torch.tensor([]).long()).shape == (0, 3, 8, 8)


def test_the_same_size_changes_nothing(folder) -> None:
    images = Pictures(folder, ["small.png"], 20, 3).read(torch.tensor([0]))
    with Image.open(folder / "small.png") as picture:
        assert np.array_equal(images[0].permute(1, 2, 0), np.array(picture))


def test_other_kinds_become_rgb(folder) -> None:
    with Image.open(folder / "small.png") as picture:
        picture.convert("L").save(folder / "grey.png")
        picture.convert("P").save(folder / "palette.png")
        picture.convert("RGBA").save(folder / "alpha.png")
    names = ["grey.png", "palette.png", "alpha.png", "small.png"]
    images = Pictures(folder, names, 20, 3).read(torch.arange(4))
    assert torch.equal(images[0, 0], images[0, 2])
    assert torch.equal(images[2], images[3])


def test_photographs_are_turned_upright(folder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned
    with Image.open(folder / "small.png") as picture:
        picture.save(folder / "turned.png", exif=exif)
    turned, plain = Pictures(folder, ["turned.png", "small.png"], 20, 3).read(torch.arange(2))
    assert torch.equal(turned, plain.rot90(-1, (1, 2)))


def test_sixteen_bits_are_refused(folder) -> None:
    Image.fromarray(np.full((9, 9), 60_000, np.uint16)).save(folder / "deep.png")
    with pytest.raises(ValueError, match=r"deep\.png.*not bytes"):
        Pictures(folder, ["deep.png"], 8, 1).read(torch.tensor([0]))


@pytest.mark.parametrize("keep", [0, 7, 30, 60, -200, -30])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_damaged_picture_is_named(keep, ending, folder) -> None:
    file = folder / f"cut.{ending}"
    with Image.open(folder / "tall.png") as picture:
        picture.save(file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=f"cut.{ending} is damaged"):
        Pictures(folder, [file.name], 8, 3).read(torch.tensor([0]))


def test_broken_chunk_is_named(folder) -> None:
    file = folder / "tall.png"
    content = bytearray(file.read_bytes())
    content[40:60] = bytes(20)
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"tall\.png is damaged"):
        Pictures(folder, [file.name], 8, 3).read(torch.tensor([0]))


def test_picture_smaller_than_the_crop_is_named(folder) -> None:
    with pytest.raises(
        ValueError, match=r"small\.png.*crop of 30 pixels does not fit into 20 × 20"
    ):
        Pictures(folder, ["small.png"], 8, 3, crop=30).read(torch.tensor([0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a.png"], 8, 2), "channels must be 1"),
        ((["a.png"], 0, 3), "size and crop >= 1"),
        ((["a.png"], 8, 3, 0), "size and crop >= 1"),
        (([], 8, 3), "no pictures"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path) -> None:
    with pytest.raises(ValueError, match=message):
        Pictures(tmp_path, *arguments)


def test_find_folder(tmp_path) -> None:
    (tmp_path / "b").mkdir()
    places = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(FileNotFoundError, match=r"a/\*\.mat or .*b/\*\.mat: ask a friend"):
        find_folder(places, "*.mat", "ask a friend")
    (tmp_path / "b" / "x.mat").touch()
    assert find_folder(places, "*.mat", "") == tmp_path / "b"
