import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.explore import read_picture
from disvae.explore.upload import MAX_BYTES


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(height: int, width: int, channels: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_the_models_own_shape_is_read_to_the_bit(channels):
    picture = noise(6, 9, channels)
    x = read_picture(encoded(picture), (channels, 6, 9))
    expected = torch.from_numpy(np.array(picture)).reshape(6, 9, channels).permute(2, 0, 1)
    assert x.mul(255).round().byte().equal(expected)


def test_the_middle_of_a_wide_picture_is_kept():
    picture = Image.new("RGB", (30, 10), "red")
    picture.paste("blue", (10, 0, 20, 10))
    x = read_picture(encoded(picture), (3, 5, 5))
    assert x.equal(torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, 5, 5))


def test_colours_become_grey_and_grey_becomes_rgb():
    red = read_picture(encoded(Image.new("RGB", (4, 4), "red")), (1, 4, 4))
    assert red.unique().mul(255).tolist() == pytest.approx([76])
    grey = read_picture(encoded(Image.new("L", (4, 4), 51)), (3, 4, 4))
    assert grey.unique().tolist() == pytest.approx([0.2])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_black(mode):
    picture = Image.new("RGBA", (4, 4), (255, 255, 255, 0)).convert(mode)
    options = {"transparency": picture.getpixel((0, 0))} if mode == "P" else {}
    assert read_picture(encoded(picture, **options), (1, 4, 4)).max() == 0


def test_a_photograph_on_its_side_stands_up():
    picture = Image.new("L", (20, 20), 0)
    picture.paste(255, (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    x = read_picture(encoded(picture, "JPEG", exif=exif, quality=95), (1, 2, 2))
    assert x[0].round().tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_kinds_that_are_read(kind):
    assert read_picture(encoded(Image.new("RGB", (8, 8), "white"), kind), (1, 4, 4)).min() > 0.98


@pytest.mark.parametrize("kind", ["TIFF", "EPS", "PPM", "ICO"])
def test_other_kinds_are_refused(kind):
    with pytest.raises(ValueError, match="choose a PNG, JPEG, WebP, BMP or GIF"):
        read_picture(encoded(Image.new("RGB", (32, 32)), kind), (1, 4, 4))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_cut_short_anywhere_is_damage(kind):
    whole = encoded(noise(40, 40, 3), kind)
    for size in (0, 1, 20, 60, len(whole) // 2):
        with pytest.raises(ValueError, match="the file is damaged"):
            read_picture(whole[:size], (1, 4, 4))


def test_text_is_no_picture():
    with pytest.raises(ValueError, match="no picture of a kind that is read here"):
        read_picture(b"<svg onload='alert(1)'/>", (1, 4, 4))


def header_of(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels in a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


# Above our limit, above the size that Pillow warns of, and above the one that it refuses.
@pytest.mark.parametrize("side", [5001, 10_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side):
    with pytest.raises(ValueError, match=r"too many pixels .* at most 25,000,000"):
        read_picture(header_of(side, side), (1, 4, 4))


def test_a_large_file_is_refused():
    with pytest.raises(ValueError, match=r"the file has 10\.0 MB: choose one of at most 10 MB"):
        read_picture(bytes(MAX_BYTES + 1), (1, 4, 4))


def test_more_than_eight_bits_a_channel_are_refused():
    deep = Image.fromarray(np.full((4, 4), 40_000, dtype=np.uint16))
    with pytest.raises(ValueError, match="more than eight bits a channel"):
        read_picture(encoded(deep), (1, 4, 4))
