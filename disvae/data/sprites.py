"""A renderer of dSprites' images from their factors: nothing to download."""

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.dataset import FactorDataset
from disvae.data.factors import FactorSpace, as_indices

SIDE = 64
SIZES = (64, 32, 16)
SPACE = FactorSpace(
    ("shape", "scale", "orientation", "position_x", "position_y"), (3, 6, 40, 32, 32)
)
RADIUS = 9.6  # pixels, at scale 1
CHUNK = 4096  # images rendered at once: about 130 MB of temporaries


class Sprites(FactorDataset):
    """White squares, ellipses and hearts on black: a rendering of dSprites' 737,280 images.

    The factors and their order are those of dSprites, so that an index means the same picture in
    :class:`disvae.data.DSprites`: shape (square, ellipse, heart), scale (0.5 to 1), orientation (0
    to 2π, both ends included), position x and y, the last one fastest. The geometry was measured on
    images of the real data set; a few pixels on the edge of a shape differ.

    A smaller size averages the 64×64 image over squares of pixels, which smooths the edges. The
    factors keep all their values, and a training step on 32×32 images takes a third of the time.

    Args:
        size: height and width of an image: 64 (binary, as dSprites), 32 or 16.

    Raises:
        ValueError: if ``size`` is another number.

    Example:
        >>> image, factors = Sprites()[0]
        >>> image.shape, factors.tolist()
        (torch.Size([1, 64, 64]), [0, 0, 0, 0, 0])
        >>> Sprites(size=32).images([0]).unique().tolist()  # pixels covered, of 4
        [0, 1, 2, 4]
    """

    space = SPACE

    def __init__(self, size: int = SIDE) -> None:
        if size not in SIZES:
            raise ValueError(
                f"sprites are drawn in sizes {', '.join(map(str, SIZES))}, got size={size!r}"
            )
        self.size = size
        self.image_shape = (1, size, size)
        self.max_value = (SIDE // size) ** 2

    def __len__(self) -> int:
        return len(SPACE)

    def factors(self, indices: object) -> Int[Tensor, "n 5"]:
        """The factors of each image."""
        return SPACE.factors(indices)

    def images(self, indices: object) -> UInt8[Tensor, "n 1 size size"]:
        """Render images of 0 and 1, or of 0 to ``max_value`` in a smaller size.

        Args:
            indices: which, int64 (n,), in any order.
        """
        values = self.latent_values(as_indices(indices, len(self))).numpy()
        images = np.empty((len(values), self.size, self.size), dtype=np.uint8)
        for start in range(0, len(values), CHUNK):
            part = slice(start, start + CHUNK)
            large = np.zeros((len(values[part]), SIDE, SIDE), dtype=np.uint8)
            render(values[part], large)
            images[part] = _count(large, SIDE // self.size)
        return torch.from_numpy(images)[:, None]

    def latent_values(self, indices: object) -> Float[Tensor, "n 5"]:
        """Shape (1, 2, 3), scale, orientation in radians, and positions in [0, 1], as dSprites'."""
        factors = SPACE.factors(indices).double()
        spans = torch.tensor([1.0, 0.1, 2 * math.pi / 39, 1 / 31, 1 / 31], dtype=torch.float64)
        return factors * spans + torch.tensor([1.0, 0.5, 0.0, 0.0, 0.0], dtype=torch.float64)


def _count(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Count the pixels that are on in each square of ``side`` pixels a side."""
    rows = images.reshape(len(images), -1, side, images.shape[2]).sum(2, dtype=np.uint8)
    counts: NDArray[np.uint8] = rows.reshape(*rows.shape[:2], -1, side).sum(3, dtype=np.uint8)
    return counts


def render(values: NDArray[np.float64], images: NDArray[np.uint8]) -> None:
    """Draw one sprite into each black image: a pixel is on if its centre lies inside the shape.

    Args:
        values: shape, scale, orientation, x, y of each image, as dSprites gives them.
        images: (n, 64, 64) of zeros.
    """
    for shape in (1, 2, 3):
        rows = np.flatnonzero(values[:, 0] == shape)
        if len(rows):
            _render_shape(shape, values[rows, 1:], rows, images)


def _render_shape(
    shape: int, values: NDArray[np.float64], rows: NDArray[np.int64], images: NDArray[np.uint8]
) -> None:
    outline = polygon(shape)
    scale, angle, x, y = (column[:, None, None] for column in values.T)
    reach = math.ceil(np.hypot(*outline.T).max() * float(scale.max())) + 1
    window = np.arange(-reach, reach)
    centre_x, centre_y = 16 + 32 * x, 16 + 32 * y
    left, top = (np.floor(centre).astype(np.int64) for centre in (centre_x, centre_y))
    columns, lines = left + window[None, None, :], top + window[None, :, None]
    dx, dy = columns + 0.5 - centre_x, lines + 0.5 - centre_y
    # Counter-clockwise on the screen, where y points downwards.
    u = (np.cos(angle) * dx - np.sin(angle) * dy) / scale
    v = (np.sin(angle) * dx + np.cos(angle) * dy) / scale
    image, line, column = np.nonzero(inside(outline, u, v))
    images[rows[image], lines[image, line, 0], columns[image, 0, column]] = 1


def inside(
    outline: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which points lie inside a polygon that is star-shaped about the origin.

    Such a polygon has one edge in each direction: the point is inside if it lies on the origin's
    side of that edge.

    Args:
        outline: vertices (n, 2), sorted by their angle.
        u: first coordinate of the points.
        v: second coordinate, of the same shape.
    """
    angles = np.arctan2(outline[:, 1], outline[:, 0])
    edge = np.searchsorted(angles, np.arctan2(v, u)) % len(outline)
    # Edge k runs from vertex k - 1 to vertex k; its outward normal and its distance follow.
    along = outline - np.roll(outline, 1, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
    distance = (normal * outline).sum(1)
    return normal[edge, 0] * u + normal[edge, 1] * v <= distance[edge]


@cache
def polygon(shape: int) -> NDArray[np.float64]:
    """The vertices (n, 2) of shape 1 (square), 2 (ellipse) or 3 (heart), sorted by their angle."""
    if shape == 1:
        half = 9.5984
        u, v = np.array([-half, half, half, -half]), np.array([-half, -half, half, half])
    elif shape == 2:
        t = 2 * np.pi * np.arange(100) / 100
        u, v = 1.33 * RADIUS * np.cos(t), RADIUS * np.sin(t) / 1.33
    else:
        t = 2 * np.pi * np.arange(150) / 150
        curve = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        u, v = RADIUS * np.sin(t) ** 3, -RADIUS / 14.5 * curve - 1.44
    order = np.argsort(np.arctan2(v, u))
    return np.stack([u, v], axis=1)[order]
