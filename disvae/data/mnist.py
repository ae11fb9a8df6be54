"""MNIST, from its IDX files."""

import gzip
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from disvae.data.array import ImageArray
from disvae.data.files import data_root, find_file, reading

PREFIXES = {"train": "train", "test": "t10k"}
WHERE = (
    "`torchvision.datasets.MNIST(root, download=True)` puts the files into MNIST/raw under its root"
)


class MNIST(ImageArray):
    """MNIST: grey images 28×28 of handwritten digits, with labels and without factors.

    Args:
        root: folder of the IDX files, compressed (.gz) or not: itself, or as torchvision lays them
            out, ``MNIST/raw`` below it; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train" (60,000 images) or "test" (10,000).

    Raises:
        FileNotFoundError: a file is missing; the message says where to get it.
        ValueError: an unknown split, or a damaged file.

    Reference:
        Gradient-based learning applied to document recognition, LeCun et al. 1998.
    """

    def __init__(self, root: str | Path | None = None, split: str = "train") -> None:
        if split not in PREFIXES:
            raise ValueError(f"split must be one of {sorted(PREFIXES)}, got {split!r}")
        folder = data_root(root)
        images = _read(folder, f"{PREFIXES[split]}-images-idx3-ubyte", dimensions=3)
        labels = _read(folder, f"{PREFIXES[split]}-labels-idx1-ubyte", dimensions=1)
        super().__init__(torch.from_numpy(images), torch.from_numpy(labels).long(), max_value=255)


def _read(folder: Path, name: str, dimensions: int) -> NDArray[np.uint8]:
    """One IDX file: two zero bytes, the type (8: bytes), the number of dimensions, their sizes."""
    candidates = [
        place / f"{name}{ending}"
        for place in (folder, folder / "MNIST" / "raw")
        for ending in ("", ".gz")
    ]
    file = find_file(candidates, WHERE)
    with reading(file):
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        header = 4 + 4 * dimensions
        if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
            raise ValueError("the header is not that of an IDX file of bytes")
        shape = np.frombuffer(content[4:header], dtype=">u4").astype(np.int64)
        if len(content) - header != shape.prod():
            raise ValueError(f"{shape.prod()} bytes announced, {len(content) - header} there")
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()
