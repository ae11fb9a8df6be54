"""A renderer of scenes like those of 3D Shapes: nothing to download."""

from colorsys import hsv_to_rgb
from functools import cache

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disvae.data import raycast
from disvae.data.dataset import FactorDataset
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.raycast import SAMPLES, SIDE, Surface

SPACE = FactorSpace(
    ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"), (10, 10, 10, 8, 4, 15)
)
HUES = 255 * torch.tensor([hsv_to_rgb(hue / 10, 1, 1) for hue in range(10)])
SKY = torch.tensor([153.0, 226.0, 249.0])
CHUNK = 256  # images coloured at once: about 40 MB of temporaries


class Scenes3D(FactorDataset):
    """A solid in a room, in colour: 480,000 scenes with the factors of 3D Shapes.

    The factors and their order are those of the published data set, so that an index means the
    same scene in both: hue of the floor, of the wall and of the object, scale (0.75 to 1.25), shape
    (cube, cylinder, sphere, capsule) and orientation (-30° to 30°: the camera goes round the
    object), the last one fastest. It is a rendering, not the real thing: the pictures look alike,
    their pixels differ, and numbers measured on them are not comparable with published ones.

    Reference: the factors are those of *3D Shapes Dataset*, Burgess and Kim, 2018,
    https://github.com/google-deepmind/3d-shapes

    Example:
        >>> image, factors = Scenes3D()[400_000]
        >>> image.shape, factors.tolist()
        (torch.Size([3, 64, 64]), [8, 3, 3, 2, 2, 10])
    """

    image_shape = (3, SIDE, SIDE)
    max_value = 255
    space = SPACE

    def __len__(self) -> int:
        return len(SPACE)

    def factors(self, indices: object) -> Int[Tensor, "n 6"]:
        """The factors of each image."""
        return SPACE.factors(indices)

    def images(self, indices: object) -> UInt8[Tensor, "n 3 64 64"]:
        """Render images in RGB.

        The geometry of a scene is traced when it is first seen, and kept: 480 of them, 31 MB.

        Args:
            indices: which, int64 (n,), in any order.
        """
        factors = SPACE.factors(as_indices(indices, len(self)))
        images = torch.empty(len(factors), 3, SIDE, SIDE, dtype=torch.uint8)
        for start in range(0, len(factors), CHUNK):
            part = slice(start, start + CHUNK)
            images[part] = render(factors[part])
        return images

    def latent_values(self, indices: object) -> Float[Tensor, "n 6"]:
        """Hues in [0, 1), scale, shape (0 to 3), orientation in degrees: 3D Shapes' ``labels``."""
        factors = SPACE.factors(indices).double()
        spans = torch.tensor([0.1, 0.1, 0.1, 0.5 / 7, 1.0, 60 / 14], dtype=torch.float64)
        return factors * spans + torch.tensor([0.0, 0.0, 0.0, 0.75, 0.0, -30.0]).double()


def render(factors: Int[Tensor, "n 6"]) -> UInt8[Tensor, "n 3 64 64"]:
    """Draw scenes: the sum of the surfaces' colours, weighted by how much light each sends."""
    light = torch.stack([surface_light(*geometry) for geometry in factors[:, 3:].tolist()])
    hues = HUES[factors[:, :3]]  # (n, surface, rgb)
    image = light[:, None, Surface.SKY] * SKY[:, None, None]
    for surface in (Surface.FLOOR, Surface.WALL, Surface.OBJECT):
        image += light[:, None, surface] * hues[:, surface, :, None, None]
    return image.round().byte()


@cache
def surface_light(scale: int, shape: int, orientation: int) -> Float[Tensor, "4 64 64"]:
    """The share of each pixel that each surface covers, times its brightness there.

    It does not depend on the hues, which is why drawing a batch needs no ray.

    Args:
        scale: the factor's index, like the others.
        shape: index of the solid.
        orientation: index of the camera's place.
    """
    surface, brightness = raycast.trace(shape, 0.75 + scale / 14, -30 + 60 * orientation / 14)
    rays = torch.from_numpy((surface == [[[kind]] for kind in Surface]) * brightness)
    return rays.unflatten(1, (SIDE, SAMPLES)).unflatten(3, (SIDE, SAMPLES)).mean((2, 4)).float()
