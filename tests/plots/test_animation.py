from collections.abc import Iterator

import imageio.v3 as imageio
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from disvae.plots import Animation
from disvae.plots.animation import render


def movie(height: int = 33, width: int = 47) -> Animation:
    """Five frames, each of a brightness of its own."""
    frames = np.stack([np.full((height, width, 3), 50 * i, np.uint8) for i in range(5)])
    return Animation(frames, fps=10)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_files_decode_to_the_same_frames(tmp_path, ending):
    movie().save(tmp_path / f"movie{ending}")
    with Image.open(tmp_path / f"movie{ending}") as file:
        shown = [(np.asarray(frame.convert("RGB")), frame.info) for frame in read_all(file)]
    assert len(shown) == 5
    for (pixels, info), frame in zip(shown, movie().frames, strict=True):
        assert pixels.shape == frame.shape
        assert np.abs(pixels.astype(int) - frame).max() <= 3
        assert info["duration"] == 100  # milliseconds
        assert info["loop"] == 0


def read_all(file: Image.Image) -> Iterator[Image.Image]:
    for i in range(file.n_frames):
        file.seek(i)
        file.load()
        yield file


# Imageio's reader leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_decodes_to_the_same_frames(tmp_path):
    pytest.importorskip("imageio_ffmpeg", reason="MP4 needs imageio-ffmpeg")
    movie().save(tmp_path / "movie.mp4")
    read = imageio.imread(tmp_path / "movie.mp4", plugin="FFMPEG", index=None)
    assert read.shape == (5, 32, 46, 3)  # even
    assert np.abs(read.astype(int) - movie().frames[:, :32, :46]).max() <= 6


def test_other_files_and_no_frames_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"written as .gif, .webp, .mp4, not movie.png"):
        movie().save(tmp_path / "movie.png")
    with pytest.raises(ValueError, match="expected frames and fps > 0, got 0 at"):
        Animation(np.zeros((0, 2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="got 1 at 0"):
        Animation(np.zeros((1, 2, 2, 3), np.uint8), fps=0)


def test_renders_a_figure_as_it_is():
    figure = Figure(figsize=(2, 1), dpi=50)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    image = axes.imshow(np.zeros((1, 2, 3)), aspect="auto")
    before = render(figure)
    image.set_data(np.ones((1, 2, 3)))
    assert before.shape == (50, 100, 3)
    assert before.max() == 0
    assert render(figure).min() == 255
