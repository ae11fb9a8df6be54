"""The two-dimensional sets of MedMNIST."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from disvae.data.array import ImageArray
from disvae.data.files import data_root, find_file, read_npz, reading

SPLITS = ("train", "val", "test")
SIZES = (28, 64, 128, 224)


class MedMNIST(ImageArray):
    """A two-dimensional set of MedMNIST, from the file of the ``medmnist`` package.

    Grey or RGB images with labels and without factors; ChestMNIST, the default, has fourteen labels
    per image. The package's table ``medmnist.INFO`` says what each set holds.

    Args:
        name: such as "chestmnist", "pathmnist", "pneumoniamnist".
        root: folder of the npz files; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train", "val" or "test".
        size: side of the images: 28, 64, 128 or 224.

    Attributes:
        label_names: what the labels mean, in order.

    Raises:
        FileNotFoundError: the file is missing; the message says where to get it.
        ValueError: an unknown set, split or size, a three-dimensional set, or a damaged file.

    Reference:
        MedMNIST v2, Yang et al. 2023, https://medmnist.com
    """

    label_names: tuple[str, ...]

    def __init__(
        self,
        name: str = "chestmnist",
        root: str | Path | None = None,
        split: str = "train",
        size: int = 28,
    ) -> None:
        info = _info(name)
        if split not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
        if size not in SIZES:
            raise ValueError(f"size must be one of {SIZES}, got {size}")
        suffix = "" if size == 28 else f"_{size}"
        where = f"it comes from {info[f'url{suffix}']}"
        file = find_file([data_root(root) / f"{name}{suffix}.npz"], where)
        expected = (info["n_samples"][split], size, size) + (3,) * (info["n_channels"] == 3)
        with reading(file):
            images, labels = read_npz(file, f"{split}_images", f"{split}_labels")
            if images.shape != expected:
                raise ValueError(f"{split}_images have shape {images.shape}, not {expected}")
            if images.ndim == 4:
                images = np.moveaxis(images, 3, 1)
            pixels, meanings = torch.from_numpy(images), torch.from_numpy(labels).long()
            super().__init__(pixels, meanings, max_value=255)
        self.label_names = tuple(info["label"][key] for key in sorted(info["label"], key=int))


def two_dimensional_sets() -> list[str]:
    """The names of the sets of images."""
    from medmnist import INFO

    return sorted(name for name in INFO if not name.endswith("3d"))


def _info(name: str) -> dict[str, Any]:
    from medmnist import INFO

    known = two_dimensional_sets()
    if name not in known:
        volume = " (it holds volumes)" if name in INFO else ""
        raise ValueError(f"{name!r} is no set of images{volume}; MedMNIST has {', '.join(known)}")
    return INFO[name]
