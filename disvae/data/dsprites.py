"""The published dSprites files."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.files import data_root, find_file, open_h5, read_npz, reading
from disvae.data.pixels import Pixels
from disvae.data.sprites import SPACE

NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
WHERE = "it comes from https://github.com/google-deepmind/dsprites-dataset"


class DSprites(FactorDataset):
    """dSprites: 737,280 binary images 64×64 of all combinations of five factors.

    Read from the published npz or HDF5 file, without unpickling anything: the file's ``metadata``
    is a pickle, is not needed, and is never touched. The images are kept as bytes, 3 GB of them.

    Args:
        root: folder that holds the file, itself or in ``dsprites/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.

    Raises:
        FileNotFoundError: neither file is there; the message says where to get it.
        ValueError: the file is damaged, or does not hold a complete grid in dSprites' order.

    Reference:
        dSprites: Disentanglement testing Sprites dataset, Matthey et al. 2017,
        https://github.com/google-deepmind/dsprites-dataset (zlib/libpng licence)
    """

    image_shape = (1, 64, 64)
    max_value = 1

    def __init__(self, root: str | Path | None = None) -> None:
        folders = (data_root(root), data_root(root) / "dsprites")
        names = [folder / f"{NAME}.{ending}" for folder in folders for ending in ("npz", "hdf5")]
        file = find_file(names, WHERE)
        with reading(file):
            read = _read_npz if file.suffix == ".npz" else _read_hdf5
            images, classes, values = read(file)
            self.space = _check(images, classes, values)
        rows = torch.from_numpy(images).flatten(1)
        self.pixels: Pixels = Pixels(rows, self.image_shape, self.max_value, packed=False)
        self._values = torch.from_numpy(values)

    def __len__(self) -> int:
        return len(self.pixels)

    def images(self, indices: object) -> Images:
        """The images of some indices, of 0 and 1."""
        return self.pixels.bytes(as_indices(indices, len(self)))

    def factors(self, indices: object) -> Int[Tensor, "n 5"]:
        """The factors of some indices."""
        return self.space.factors(indices)

    def latent_values(self, indices: object) -> Float[Tensor, "n 5"]:
        """What the factors stand for: see :meth:`disvae.data.Sprites.latent_values`."""
        return self._values[as_indices(indices, len(self)), 1:]  # the first is the one colour


def _read_npz(file: Path) -> list[NDArray]:
    return read_npz(file, "imgs", "latents_classes", "latents_values")


def _read_hdf5(file: Path) -> list[NDArray]:

    with open_h5(file) as archive:
        return [archive[name][:] for name in ("imgs", "latents/classes", "latents/values")]


def _check(images: NDArray, classes: NDArray, values: NDArray) -> FactorSpace:
    """The space of the factors, of which the images must be the complete grid, in its order."""
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (64, 64):
        raise ValueError(f"imgs are {images.dtype} of shape {images.shape}, not (n, 64, 64) bytes")
    if images.max() > 1:
        raise ValueError("imgs hold other values than 0 and 1")
    for name, table in (("classes", classes), ("values", values)):
        if table.shape != (len(images), 6):
            raise ValueError(f"latent {name} have shape {table.shape}, not ({len(images)}, 6)")
    factors = torch.from_numpy(classes[:, 1:].astype(np.int64))  # the first is the one colour
    space = FactorSpace(SPACE.names, tuple(int(largest) + 1 for largest in factors.amax(0)))
    if len(space) != len(images) or not torch.equal(space.factors(range(len(space))), factors):
        raise ValueError("the images are not the complete grid of factors in dSprites' order")
    return space
