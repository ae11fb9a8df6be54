"""Decoding, cropping and resizing, against torchvision's transforms."""

import struct
import zlib

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


def test_a_white_sprite_on_transparent_white_is_seen(folder) -> None:
    white = np.full((20, 20, 4), 255, np.uint8)
    white[:, :10, 3], white[:, 10:12, 3] = 0, 128
    sprite = Image.fromarray(white)
    sprite.save(folder / "colour.png")
    sprite.convert("LA").save(folder / "grey.png")
    sprite.save(folder / "lossless.webp", lossless=True, exact=True)
    palette = Image.fromarray(np.repeat([[0] * 10 + [1] * 10], 20, 0).astype(np.uint8), "P")
    palette.putpalette([255] * 6)
    palette.save(folder / "palette.png", transparency=0)
    for name in ("colour.png", "grey.png", "lossless.webp", "palette.png"):
        for background in (0, 100):
            pictures = Pictures(folder, [name], 20, 3, background=background)
            image = pictures.read(torch.tensor([0]))[0]
            assert image[:, :, :10].unique().tolist() == [background]
            assert image[:, :, 12:].unique().tolist() == [255]
            if name != "palette.png":
                half = round(background + (255 - background) * 128 / 255)
                assert image[:, :, 10:12].unique().item() == pytest.approx(half, abs=1)


def test_of_sixteen_bits_the_upper_eight_are_kept(folder) -> None:
    deep = np.array([[0, 255, 256, 65_535], [513, 30_000, 60_000, 32_768]], np.uint16)
    (folder / "deep.pgm").write_bytes(b"P5 4 4 65535\n" + deep.repeat(2, 0).astype(">u2").tobytes())
    for ending in ("png", "tiff", "pgm"):
        if ending != "pgm":
            Image.fromarray(deep.repeat(2, 0)).save(folder / f"deep.{ending}")
        image = Pictures(folder, [f"deep.{ending}"], 4, 1).read(torch.tensor([0]))[0, 0]
        assert image.numpy().tolist() == (deep >> 8).repeat(2, 0).tolist()


def test_sixteen_bits_of_colour_too(folder) -> None:
    deep = np.array([[[0, 513, 65_535], [30_000, 255, 256]]], ">u2").repeat(2, 0)  # 2 x 2

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    content = header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (folder / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    image = Pictures(folder, ["deep.png"], 2, 3).read(torch.tensor([0]))[0]
    assert image.permute(1, 2, 0).numpy().tolist() == (deep >> 8).tolist()
    bomb = content.replace(
        header, chunk(b"IHDR", struct.pack(">IIBBBBB", 10**5, 10**5, 8, 2, 0, 0, 0))
    )
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bomb)
    with pytest.raises(ValueError, match=r"bomb.png: Image size \(10000000000 pixels\) exceeds"):
        Pictures(folder, ["bomb.png"], 2, 3).read(torch.tensor([0]))


def test_a_photograph_with_previews_is_the_photograph(folder) -> None:
    with Image.open(folder / "small.png") as picture:
        picture.save(
            folder / "camera.jpg", "MPO", save_all=True, append_images=[picture.rotate(90)]
        )
        picture.save(folder / "plain.jpg")
    images = Pictures(folder, ["camera.jpg", "plain.jpg"], 20, 3).read(torch.arange(2))
    assert torch.equal(images[0], images[1])


def test_cmyk_becomes_rgb(folder) -> None:
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 0] = 255  # cyan
    Image.fromarray(ink, "CMYK").save(folder / "ink.tif")
    image = Pictures(folder, ["ink.tif"], 8, 3).read(torch.tensor([0]))[0]
    assert image[:, 0, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("float", r"mode F, are not bytes"),
        ("frames", r"it holds 3 pictures"),
        ("pages", r"it holds 3 pictures"),
        ("large", r"20 × 20 pixels, more than 100: make it smaller"),
        ("postscript", r"is damaged, cut short, or not what its name says"),
        ("gif", r"is damaged, cut short, or not what its name says"),
    ],
)
def test_what_is_no_picture_of_bytes_says_so(kind, message, folder, monkeypatch) -> None:
    with Image.open(folder / "small.png") as picture:
        frames = [picture.rotate(angle) for angle in (0, 90, 180)]
    ending = {"pages": "tif", "float": "tif"}.get(kind, "png")
    file, first, rest = folder / f"odd.{ending}", frames[0], frames[1:]
    if kind == "float":
        first.convert("F").save(file)
    elif kind in ("frames", "pages"):
        first.save(file, save_all=True, append_images=rest)
    elif kind == "large":
        monkeypatch.setattr("disvae.data.pictures.MOST_PIXELS", 100)
        first.save(file)
    else:
        first.save(file, format={"postscript": "EPS", "gif": "GIF"}[kind])
    with pytest.raises(ValueError, match=rf"odd\.{ending}.*{message}"):
        Pictures(folder, [file.name], 8, 1).read(torch.tensor([0]))


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
        ((["a.png"], 8, 3, None, 256), "background must be from 0 to 255"),
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
