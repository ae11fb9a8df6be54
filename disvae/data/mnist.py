"""MNIST and the sets made to replace it, from their IDX files."""

import gzip
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.array import ImageArray
from disvae.data.files import data_root, find_file, reading

PREFIXES = {"train": "train", "test": "t10k"}
PUBLISHED = (60_000, 10_000)  # images of each set
SIDE = 28


class _Idx(ImageArray):
    """What the sets share: the names of their files, in folders of their own."""

    folder: ClassVar[str]

    def __init__(
        self, root: str | Path | None = None, split: str = "train", size: int = SIDE
    ) -> None:
        super().__init__(*_read_split(data_root(root), self.folder, split, size), max_value=255)


class MNIST(_Idx):
    """MNIST: grey images 28×28 of handwritten digits, with labels and without factors.

    Args:
        root: folder of the IDX files, compressed (.gz) or not: itself, or as torchvision lays them
            out, ``MNIST/raw`` below it; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train" (60,000 images) or "test" (10,000).
        size: side of the images, to which other than 28 resizes them (bilinear, antialiased, to the
            byte as torchvision's ``Resize``); disentangling-vae has 32.

    Raises:
        FileNotFoundError: a file is missing; the message says where to get it.
        ValueError: an unknown split, a size below 1, or a damaged file.

    Reference:
        Gradient-based learning applied to document recognition, LeCun et al. 1998 (CC BY-SA 3.0)
    """

    folder = "MNIST"


class FashionMNIST(_Idx):
    """Fashion-MNIST: grey images 28×28 of clothes, with labels and without factors.

    Its files are named as MNIST's are, and looked for first where they cannot be mistaken.

    Args:
        root: folder of the IDX files, compressed (.gz) or not: as torchvision lays them out,
            ``FashionMNIST/raw`` below it, or itself; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train" (60,000 images) or "test" (10,000).
        size: side of the images, to which other than 28 resizes them (bilinear, antialiased, to the
            byte as torchvision's ``Resize``); disentangling-vae has 32.

    Attributes:
        label_names: what the labels mean, in order.

    Raises:
        FileNotFoundError: a file is missing; the message says where to get it.
        ValueError: an unknown split, a size below 1, a damaged file, or MNIST's files in its place.

    Reference:
        Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, Xiao et
        al. 2017, https://github.com/zalandoresearch/fashion-mnist (MIT licence)
    """

    label_names = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip

    folder = "FashionMNIST"


class KMNIST(_Idx):
    """Kuzushiji-MNIST: grey images 28×28 of cursive Japanese characters, with labels.

    Its files are named as MNIST's are, and looked for first where they cannot be mistaken.

    Args:
        root: folder of the IDX files, compressed (.gz) or not: as torchvision lays them out,
            ``KMNIST/raw`` below it, or itself; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train" (60,000 images) or "test" (10,000).
        size: side of the images, to which other than 28 resizes them (bilinear, antialiased, to the
            byte as torchvision's ``Resize``); disentangling-vae has 32.

    Attributes:
        label_names: how the characters are read, in order.

    Raises:
        FileNotFoundError: a file is missing; the message says where to get it.
        ValueError: an unknown split, a size below 1, a damaged file, or MNIST's files in its place.

    Reference:
        Deep Learning for Classical Japanese Literature, Clanuwat et al. 2018,
        https://github.com/rois-codh/kmnist (CC BY-SA 4.0)
    """

    label_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

    folder = "KMNIST"


def _read_split(root: Path, name: str, split: str, size: int) -> tuple[Tensor, Tensor]:
    """The images and labels of one split of a data set."""
    if split not in PREFIXES:
        raise ValueError(f"split must be one of {sorted(PREFIXES)}, got {split!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    file = _find(root, name, f"{PREFIXES[split]}-images-idx3-ubyte")
    with reading(file):
        images = _read(file, dimensions=3)
        if images.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"its images have shape {images.shape[1:]}, not {(SIDE, SIDE)}")
    file = _find(root, name, f"{PREFIXES[split]}-labels-idx1-ubyte")
    with reading(file):
        labels = _read(file, dimensions=1)
        if len(labels) != len(images):
            raise ValueError(f"{len(labels)} labels of {len(images)} images")
        counts = np.bincount(labels)
        if name != "MNIST" and len(labels) in PUBLISHED and len(set(counts)) > 1:
            raise ValueError(f"its classes differ in size, as MNIST's do, and not {name}'s")
    return torch.from_numpy(_resized(images, size)), torch.from_numpy(labels).long()


def _resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    if size == SIDE:
        return images
    pictures = (Image.fromarray(image) for image in images)
    resized = (picture.resize((size, size), Image.Resampling.BILINEAR) for picture in pictures)
    return np.stack([np.asarray(picture) for picture in resized])


def _find(root: Path, name: str, file_name: str) -> Path:
    places = [root / name / "raw", root]
    where = (
        f"`torchvision.datasets.{name}(root, download=True)` puts the files into {name}/raw under "
        "its root"
    )
    return find_file(
        [place / f"{file_name}{end}" for place in places for end in ("", ".gz")], where
    )


def _read(file: Path, dimensions: int) -> NDArray[np.uint8]:
    """One IDX file: two zero bytes, the type (8: bytes), the number of dimensions, their sizes."""
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError("the header is not that of an IDX file of bytes")
    shape = np.frombuffer(content[4:header], dtype=">u4").astype(np.int64)
    if len(content) - header != shape.prod():
        raise ValueError(f"{shape.prod()} bytes announced, {len(content) - header} there")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()
