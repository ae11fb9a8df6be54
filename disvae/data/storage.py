"""All images of a data set as raw bytes, or one bit a pixel: in memory, on a device, or on disk."""

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm

from disvae.data.dataset import FactorDataset, ImageDataset, Images
from disvae.data.factors import as_indices
from disvae.data.files import reading
from disvae.data.pixels import Pixels
from disvae.files import replacing

CHUNK = 4096  # images read from the data set at once


class Stored(ImageDataset):
    """A data set whose images are all rendered or read once, and kept.

    In memory, a byte a pixel or a bit where images are binary: 377 MB for all of ``Sprites``. Given
    a file, they are written there once, a part at a time, and mapped into memory whenever the file
    is opened again: so that they may be more than the memory holds. The file is complete or absent.

    Args:
        dataset: where the images come from.
        file: where to keep them (.npy); in memory alone if None.
        progress: show a progress bar while they are read.

    Raises:
        ValueError: the file holds other images, or is damaged.
    """

    def __init__(
        self, dataset: ImageDataset, file: str | Path | None = None, progress: bool = True
    ) -> None:
        self.dataset = dataset
        self.image_shape = dataset.image_shape
        self.max_value = dataset.max_value
        shape = (len(dataset), _row_bytes(dataset))
        if file is None:
            rows = np.empty(shape, dtype=np.uint8)
            for part in _parts(dataset, progress):
                rows[int(part[0]) : int(part[-1]) + 1] = _rows(dataset, part)
        else:
            rows = _open(Path(file), shape, dataset, progress)
        self.pixels: Pixels = Pixels(
            torch.from_numpy(rows), self.image_shape, self.max_value, packed=self.max_value == 1
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def images(self, indices: object) -> Images:
        """The images of some indices."""
        return self.pixels.bytes(as_indices(indices, len(self)))

    def targets(self, index: int) -> Tensor:
        """What the data set knows of one image."""
        return self.dataset.targets(index)


class StoredFactors(Stored, FactorDataset):
    """A data set with factors whose images are kept; see :class:`Stored`."""

    def __init__(
        self, dataset: FactorDataset, file: str | Path | None = None, progress: bool = True
    ) -> None:
        super().__init__(dataset, file, progress)
        self.space = dataset.space

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices."""
        return self._source().factors(indices)

    def _source(self) -> FactorDataset:
        assert isinstance(self.dataset, FactorDataset)
        return self.dataset


def store(dataset: ImageDataset, file: str | Path | None = None, progress: bool = True) -> Stored:
    """Keep all images of a data set, with their factors if they have any.

    Example:
        >>> from disvae.data import Slice, Sprites
        >>> hearts = store(Slice(Sprites(), {"shape": 2, "scale": 5}), progress=False)
        >>> hearts.pixels.rows.shape
        torch.Size([40960, 512])
    """
    if isinstance(dataset, FactorDataset):
        return StoredFactors(dataset, file, progress)
    return Stored(dataset, file, progress)


def _row_bytes(dataset: ImageDataset) -> int:
    n_pixels = prod(dataset.image_shape)
    return -(-n_pixels // 8) if dataset.max_value == 1 else n_pixels


def _rows(dataset: ImageDataset, indices: Tensor) -> np.ndarray:
    images = dataset.images(indices).flatten(1).numpy()
    return np.packbits(images, axis=1) if dataset.max_value == 1 else images


def _parts(dataset: ImageDataset, progress: bool) -> Iterator[Tensor]:
    with tqdm(total=len(dataset), unit="image", disable=not progress) as bar:
        for part in torch.arange(len(dataset)).split(CHUNK):
            yield part
            bar.update(len(part))


def _open(file: Path, shape: tuple[int, int], dataset: ImageDataset, progress: bool) -> np.ndarray:
    """Map the file, which is written first if it is not there."""
    if not file.exists():
        _write(file, shape, dataset, progress)
    with reading(file):
        # Copy-on-write: nobody can change the file by changing an image.
        rows = np.load(file, mmap_mode="c", allow_pickle=False)
    if rows.shape != shape or rows.dtype != np.uint8 or not _holds(rows, dataset):
        raise ValueError(
            f"{file} holds other images than those of the {type(dataset).__name__}: give another "
            "file, or delete this one to have it written again"
        )
    return rows


def _holds(rows: np.ndarray, dataset: ImageDataset) -> bool:
    """Whether some images, from the first to the last, are those of the data set."""
    some = torch.linspace(0, len(dataset) - 1, 16).long().unique()
    return bool((rows[some.numpy()] == _rows(dataset, some)).all())


def _write(file: Path, shape: tuple[int, int], dataset: ImageDataset, progress: bool) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    # Written, not mapped: a full disk is then an error, and not the end of the process.
    with replacing(file) as out:
        np.lib.format.write_array_header_1_0(out, header)
        for part in _parts(dataset, progress):
            out.write(_rows(dataset, part).tobytes())
