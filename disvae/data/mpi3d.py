"""MPI3D, from its npz files."""

import math
import zipfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.files import data_root, find_file, read_npz, reading

FACTORS = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)
SIMPLE = FactorSpace(FACTORS, (6, 6, 2, 3, 3, 40, 40))
COMPLEX = FactorSpace(FACTORS, (4, 4, 2, 3, 3, 40, 40))
VARIANTS = {
    "toy": ("mpi3d_toy.npz", SIMPLE),
    "realistic": ("mpi3d_realistic.npz", SIMPLE),
    "real": ("mpi3d_real.npz", SIMPLE),
    "complex": ("real3d_complicated_shapes_ordered.npz", COMPLEX),
}
WHERE = "https://github.com/rr-learning/disentanglement_dataset says where it comes from"


class MPI3D(FactorDataset):
    """MPI3D: RGB images 64×64 of a robot's arm that moves an object, with seven factors.

    Colour, shape and size of the object, height of the camera, colour of the background, and the
    arm's horizontal and vertical axis, the last one fastest. Three variants hold the same 1,036,800
    scenes: simply rendered ("toy"), realistically rendered, and photographed ("real"). The fourth
    ("complex") holds 460,800 photographs of other objects. The images, 12.7 GB or 5.7 GB, stay in
    the file if it stores them uncompressed, which is then mapped into memory; else they are loaded.

    Args:
        variant: "toy", "realistic", "real" or "complex".
        root: folder that holds the file, itself or in ``mpi3d/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.

    Raises:
        FileNotFoundError: the file is not there; the message says where to get it.
        ValueError: an unknown variant, or a damaged file.

    Reference:
        On the Transfer of Inductive Bias from Simulation to the Real World: a New Disentanglement
        Dataset, Gondal et al. 2019, https://github.com/rr-learning/disentanglement_dataset
        (CC BY 4.0)
    """

    image_shape = (3, 64, 64)
    max_value = 255

    def __init__(self, variant: str = "toy", root: str | Path | None = None) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"variant must be one of {list(VARIANTS)}, got {variant!r}")
        name, self.space = VARIANTS[variant]
        folders = (data_root(root), data_root(root) / "mpi3d")
        file = find_file([folder / name for folder in folders], WHERE)
        with reading(file):
            self._images = _open(file, "images")
            if self._images.dtype != np.uint8 or self._images.shape != (len(self), 64, 64, 3):
                raise ValueError(
                    f"images are {self._images.dtype} of shape {self._images.shape}, "
                    f"not {(len(self), 64, 64, 3)} bytes"
                )

    def __len__(self) -> int:
        return len(self.space)

    def images(self, indices: object) -> Images:
        """The images of some indices."""
        read = self._images[as_indices(indices, len(self)).numpy()]
        return torch.from_numpy(np.asarray(read)).permute(0, 3, 1, 2)

    def factors(self, indices: object) -> Int[Tensor, "n 7"]:
        """The factors of some indices."""
        return self.space.factors(indices)


def _open(file: Path, name: str) -> NDArray:
    """One array of an npz file: mapped into memory if it is stored as it is, else read."""
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type != zipfile.ZIP_STORED:
            return read_npz(file, name)[0]
        with archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran_order, dtype = read_header(stream)
            header = stream.tell()
    if (
        fortran_order
        or dtype.hasobject
        or member.file_size - header != math.prod(shape) * dtype.itemsize
    ):
        raise ValueError(f"{name} is not an array of {dtype} of shape {shape} in C order")
    with file.open("rb") as content:
        content.seek(member.header_offset + 26)  # the lengths of the name and of the extra field
        lengths = np.frombuffer(content.read(4), "<u2").astype(int)
    start = member.header_offset + 30 + int(lengths.sum()) + header
    # Copy-on-write: nobody can change the file by changing an image.
    return np.memmap(file, dtype, "c", start, shape)
