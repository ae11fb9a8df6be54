"""Cars3D, from the MATLAB files of the visual analogies of Reed et al."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disvae.data.array import FactorArray
from disvae.data.factors import FactorSpace
from disvae.data.files import data_root, reading
from disvae.data.matlab import read_mat
from disvae.data.pictures import find_folder

PATTERN = "car_*_mesh.mat"
WHERE = (
    "unpack http://www.scottreed.info/files/nips2015-analogy-data.tar.gz there, "
    "in which they are data/cars"
)


class Cars3D(FactorArray):
    """Cars3D: 17,568 RGB images of 183 cars, each from 96 sides.

    The factors are elevation (4 values), azimuth (24) and type (183), the last one fastest: the
    order of disentanglement_lib. The types have the order of their files' names. The published
    images are 128×128, and resized to 64×64 (Lanczos) as there; they need 216 MB of memory.

    Args:
        root: folder that holds the files ``car_…_mesh.mat``, itself or in ``cars/`` or
            ``data/cars/``; $DISVAE_DATA or ``~/.disvae/data`` if None.
        size: side of the images, 64, or 128 as published.

    Raises:
        FileNotFoundError: the files are missing; the message says where to get them.
        ValueError: a bad size, or a damaged file.

    Reference:
        Deep Visual Analogy-Making, Reed et al. 2015; as a set with factors: Challenging Common
        Assumptions in the Unsupervised Learning of Disentangled Representations, Locatello et al.
        2019, https://github.com/google-research/disentanglement_lib
    """

    def __init__(self, root: str | Path | None = None, size: int = 64) -> None:
        if size not in (64, 128):
            raise ValueError(f"size must be 64 or 128, got {size}")
        base = data_root(root)
        folder = find_folder([base / "data" / "cars", base / "cars", base], PATTERN, WHERE)
        cars: list[NDArray[np.uint8]] = []
        for file in sorted(folder.glob(PATTERN)):
            with reading(file):
                cars.append(_read(file, size, cars[0].shape if cars else None))
        images = np.stack(cars, axis=2)  # (elevation, azimuth, type, channel, height, width)
        space = FactorSpace(("elevation", "azimuth", "type"), images.shape[:3])
        factors = space.factors(range(len(space)))
        super().__init__(images.reshape(-1, 3, size, size), factors, space.names, max_value=255)


def _read(file: Path, size: int, expected: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """The images of one car, (elevation, azimuth, channel, height, width)."""
    car = read_mat(file, "im")
    if car.dtype != np.uint8 or car.ndim != 5 or car.shape[:3] != (128, 128, 3):
        raise ValueError(f"im is {car.dtype} of shape {car.shape}, not (128, 128, 3, n, n) bytes")
    images = car.transpose(4, 3, 2, 0, 1) if size == 128 else _resize(car, size)
    if expected is not None and images.shape != expected:
        raise ValueError(f"it has {images.shape[:2]} views, and others have {expected[:2]}")
    return images


def _resize(car: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    small = np.empty((car.shape[4], car.shape[3], 3, size, size), np.uint8)
    for elevation, azimuth in np.ndindex(*small.shape[:2]):
        picture = Image.fromarray(np.ascontiguousarray(car[..., azimuth, elevation]))
        resized = picture.resize((size, size), Image.Resampling.LANCZOS)
        small[elevation, azimuth] = np.asarray(resized).transpose(2, 0, 1)
    return small
