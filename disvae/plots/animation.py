"""Pictures that move: frames in memory, and the files that hold them."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from disvae.extras import need
from disvae.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".gif", ".webp", ".mp4")


@dataclass(frozen=True)
class Animation:
    """Frames of equal size, shown one after the other and then again from the first.

    Args:
        frames: bytes, (n_frames, height, width, 3).
        fps: frames a second.

    Raises:
        ValueError: there is no frame, or time does not go on.

    Example:
        >>> frames = np.zeros((2, 4, 6, 3), dtype=np.uint8)
        >>> Animation(frames, fps=2).save("blank.gif")
    """

    frames: UInt8[np.ndarray, "n_frames height width 3"]
    fps: float = 10.0

    def __post_init__(self) -> None:
        if len(self.frames) == 0 or not self.fps > 0:
            raise ValueError(f"expected frames and fps > 0, got {len(self.frames)} at {self.fps}")

    def save(self, path: str | Path) -> None:
        """Write a file of the kind that its ending says: ``.gif``, ``.webp`` or ``.mp4``.

        A GIF has 256 colours a frame; WebP keeps colours better and is smaller. MP4 needs the
        package imageio-ffmpeg, and loses a row or column of odd sizes.

        Raises:
            ValueError: another ending, or an MP4 without the package.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise ValueError(f"an animation is written as {', '.join(FORMATS)}, not {path.name}")
        write_atomically(path, self._mp4() if path.suffix == ".mp4" else self._pictures(path))

    def _pictures(self, path: Path) -> bytes:
        from PIL import Image

        grey = (self.frames == self.frames[..., :1]).all() and path.suffix == ".gif"
        frames = self.frames[..., 0] if grey else self.frames  # 256 greys are all there are
        first, *others = (Image.fromarray(frame) for frame in frames)
        buffer = BytesIO()
        first.save(
            buffer,
            format=path.suffix[1:],
            save_all=True,
            append_images=others,
            duration=round(1000 / self.fps),
            loop=0,
        )
        return buffer.getvalue()

    def _mp4(self) -> bytes:
        need("video", "MP4 (unlike .gif and .webp)")
        import imageio.v3 as imageio

        _, height, width, _ = self.frames.shape
        even = self.frames[:, : height // 2 * 2, : width // 2 * 2]  # as the codec wants it
        return imageio.imwrite(
            "<bytes>", even, extension=".mp4", plugin="FFMPEG", fps=self.fps, macro_block_size=2
        )


def render(figure: "Figure") -> UInt8[np.ndarray, "height width 3"]:
    """The figure as it is now, as pixels: one frame."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
