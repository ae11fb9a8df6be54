"""The published file of 3D Shapes."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.files import data_root, find_file, open_h5, reading

NAME = "3dshapes.h5"
FACTORS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
WHERE = (
    "it comes from https://storage.googleapis.com/3d-shapes/3dshapes.h5, "
    "see https://github.com/google-deepmind/3d-shapes"
)


class Shapes3D(FactorDataset):
    """3D Shapes: 480,000 RGB images 64×64 of all combinations of six factors.

    Hue of the floor (10 values), of the wall (10), of the object (10), scale (8), shape (4) and
    orientation (15), the last one fastest. The images, 5.9 GB, stay in the file: those that are
    asked for are read from it. Where the file is compressed, as HDF5 files may be, this takes long
    for images that lie apart; ``store(Shapes3D(), "shapes3d.npy")`` reads them once, in order.

    Args:
        root: folder that holds the file, itself or in ``3dshapes/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.

    Raises:
        FileNotFoundError: the file is not there; the message says where to get it.
        ValueError: the file is damaged, or does not hold a complete grid in 3D Shapes' order.

    Reference:
        3D Shapes Dataset, Burgess and Kim 2018, https://github.com/google-deepmind/3d-shapes
        (Apache licence 2.0); introduced in Disentangling by Factorising, Kim and Mnih 2018
    """

    image_shape = (3, 64, 64)
    max_value = 255

    def __init__(self, root: str | Path | None = None) -> None:
        folders = (data_root(root), data_root(root) / "3dshapes")
        self.file = find_file([folder / NAME for folder in folders], WHERE)
        with reading(self.file), open_h5(self.file) as archive:
            images = archive["images"]
            if images.dtype != np.uint8 or images.shape[1:] != (64, 64, 3):
                raise ValueError(
                    f"images are {images.dtype} of shape {images.shape}, not (n, 64, 64, 3) bytes"
                )
            labels = archive["labels"][:]
            self.space = _check(labels, len(images))
        self._values = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self.space)

    def images(self, indices: object) -> Images:
        """Read the images of some indices."""
        # HDF5 gives increasing rows without repetition. The file is opened each time, so that the
        # data set can be copied, and sent to other processes.
        rows, places = np.unique(as_indices(indices, len(self)).numpy(), return_inverse=True)
        with reading(self.file), open_h5(self.file) as archive:
            read = archive["images"][_selection(rows)]
        return torch.from_numpy(read)[torch.from_numpy(places)].permute(0, 3, 1, 2)

    def factors(self, indices: object) -> Int[Tensor, "n 6"]:
        """The factors of some indices."""
        return self.space.factors(indices)

    def latent_values(self, indices: object) -> Float[Tensor, "n 6"]:
        """What the factors stand for: hues in [0, 1], scale, number of the shape, degrees."""
        return self._values[as_indices(indices, len(self))]


def _selection(rows: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """A slice where the rows are one after another, which HDF5 reads much faster."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _check(labels: NDArray, n_images: int) -> FactorSpace:
    """The space of the factors, of which the images must be the complete grid, in its order."""
    if labels.shape != (n_images, len(FACTORS)) or labels.dtype.kind != "f" or not n_images:
        raise ValueError(
            f"labels are {labels.dtype} of shape {labels.shape}, not {(n_images, len(FACTORS))}"
        )
    levels, columns = zip(
        *(np.unique(column, return_inverse=True) for column in labels.T), strict=True
    )
    space = FactorSpace(FACTORS, tuple(len(values) for values in levels))
    factors = torch.from_numpy(np.stack(columns, axis=1))
    if len(space) != n_images or not torch.equal(space.factors(range(n_images)), factors):
        raise ValueError("the images are not the complete grid of factors in 3D Shapes' order")
    return space
