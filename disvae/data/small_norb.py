"""SmallNORB, from its binary matrices."""

import gzip
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from disvae.data.array import FactorArray
from disvae.data.factors import FactorSpace
from disvae.data.files import data_root, find_file, reading

FACTORS = ("category", "instance", "elevation", "azimuth", "lighting")
SPLITS = {"train": "5x46789x9x18x6x2x96x96-training", "test": "5x01235x9x18x6x2x96x96-testing"}
TYPES = {0x1E3D4C55: "u1", 0x1E3D4C54: "<i4"}  # magic numbers of matrices of bytes and of integers
WHERE = "it comes from https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"


class SmallNORB(FactorArray):
    """SmallNORB: 48,600 grey photographs of 50 toys, of all combinations of five factors.

    The factors are category (animal, human, plane, truck, car), instance, elevation (9 values),
    azimuth (18) and lighting (6), the last one fastest; the files have another order. A split has
    5 instances of each category, and both have 10. Of each pair of photographs this is the first.
    The published images are 96×96, and resized to 64×64 (Lanczos) as in disentanglement_lib, for
    which instance is no factor.

    Args:
        root: folder that holds the files ``smallnorb-…-dat.mat``, ``-cat.mat`` and ``-info.mat``,
            compressed (.gz) or not, itself or in ``small_norb/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.
        split: "train" (24,300 images), "test" (24,300), or "all".
        size: side of the images, 64, or 96 as published.

    Attributes:
        instances: the published numbers of the instances, in order.

    Raises:
        FileNotFoundError: a file is missing; the message says where to get it.
        ValueError: an unknown split or size, a damaged file, or files that do not hold a complete
            grid.

    Reference:
        Learning Methods for Generic Object Recognition with Invariance to Pose and Lighting, LeCun
        et al. 2004, https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/ (for research; not to be sold)
    """

    instances: tuple[int, ...]

    def __init__(self, root: str | Path | None = None, split: str = "all", size: int = 64) -> None:
        if split != "all" and split not in SPLITS:
            raise ValueError(f"split must be one of {[*SPLITS, 'all']}, got {split!r}")
        if size not in (64, 96):
            raise ValueError(f"size must be 64 or 96, got {size}")
        wanted = list(SPLITS) if split == "all" else [split]
        parts, tables = zip(
            *(_read_split(data_root(root), name, size) for name in wanted), strict=True
        )
        images, numbers = np.concatenate(parts), np.concatenate(tables)
        levels, columns = zip(
            *(np.unique(column, return_inverse=True) for column in numbers.T), strict=True
        )
        space = FactorSpace(FACTORS, tuple(len(values) for values in levels))
        indices = space.indices(torch.from_numpy(np.stack(columns, axis=1)))
        if len(space) != len(images) or len(indices.unique()) != len(space):
            raise ValueError(
                f"{data_root(root)} does not hold all combinations of SmallNORB's factors: "
                f"{len(images)} images of {space}"
            )
        self.instances = tuple(levels[1].tolist())
        factors = space.factors(range(len(space)))
        super().__init__(images[indices.argsort().numpy()], factors, FACTORS, max_value=255)


def _read_split(root: Path, split: str, size: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The left photographs (n, size, size), and their category and the four other factors."""
    dat, cat, info = (_find(root, split, kind) for kind in ("dat", "cat", "info"))
    with reading(cat):
        categories = _read_matrix(cat, "<i4", 1)
    with reading(info):
        others = _read_matrix(info, "<i4", 2)
        if others.shape != (len(categories), 4):
            raise ValueError(f"it has shape {others.shape}, not {(len(categories), 4)}")
    with reading(dat):
        pairs = _read_matrix(dat, "u1", 4)
        if pairs.shape != (len(categories), 2, 96, 96):
            raise ValueError(f"it has shape {pairs.shape}, not {(len(categories), 2, 96, 96)}")
    return _resize(pairs[:, 0], size), np.column_stack([categories, others])


def _find(root: Path, split: str, kind: str) -> Path:
    name = f"smallnorb-{SPLITS[split]}-{kind}.mat"
    folders = (root, root / "small_norb")
    return find_file([folder / f"{name}{end}" for folder in folders for end in ("", ".gz")], WHERE)


def _read_matrix(file: Path, dtype: str, dimensions: int) -> NDArray:
    """One binary matrix: magic number, number of dimensions, their sizes (three or more), data."""
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    start = 8 + 4 * max(3, dimensions)
    header = np.frombuffer(content[: min(start, len(content) // 4 * 4)], "<i4")
    if len(header) < 5 or TYPES.get(int(header[0])) != dtype or header[1] != dimensions:
        raise ValueError(
            f"the header is not that of a matrix of {dimensions} dimensions of {dtype}"
        )
    shape = header[2 : 2 + dimensions].astype(np.int64)
    announced = int(shape.prod()) * np.dtype(dtype).itemsize
    if len(content) - start != announced:
        raise ValueError(f"{announced} bytes announced, {len(content) - start} there")
    return np.frombuffer(content, dtype, offset=start).reshape(shape)


def _resize(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    if size == images.shape[1]:
        return images
    small = np.empty((len(images), size, size), np.uint8)
    for row, image in enumerate(images):
        resized = Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS)
        small[row] = np.asarray(resized)
    return small
