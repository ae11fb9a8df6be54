"""CelebA, from its folder of aligned pictures."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import ImageDataset, Images
from disvae.data.factors import as_indices
from disvae.data.files import data_root, find_file, reading
from disvae.data.pictures import Pictures

FOLDER = "img_align_celeba"
SPLITS = {"train": 0, "valid": 1, "test": 2}
WHERE = (
    f"it comes from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, with {FOLDER}.zip to unpack "
    "beside it"
)


class CelebA(ImageDataset):
    """CelebA: 202,599 aligned faces in RGB, with 40 attributes each and without factors.

    The published pictures are 178×218. The middle 148×148 is cut out and resized to 64×64: the
    usual crop, that of https://github.com/AntixK/PyTorch-VAE and of many others; papers differ, and
    most do not say. Each picture is decoded when it is asked for.

    Args:
        root: folder that holds ``img_align_celeba/``, ``list_attr_celeba.txt`` and
            ``list_eval_partition.txt``, itself or in ``celeba/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.
        split: "train" (162,770 images), "valid" (19,867), "test" (19,962), or "all".
        size: side of the images.
        crop: side of the centred square that is cut out first; the largest, 178, if None.

    Attributes:
        label_names: the 40 attributes, in order.

    Raises:
        FileNotFoundError: a file or a picture is missing; the message says where to get it.
        ValueError: an unknown split, or a damaged file.

    Reference:
        Deep Learning Face Attributes in the Wild, Liu et al. 2015 (for non-commercial research)
    """

    max_value = 255
    label_names: tuple[str, ...]

    def __init__(
        self,
        root: str | Path | None = None,
        split: str = "all",
        size: int = 64,
        crop: int | None = 148,
    ) -> None:
        if split != "all" and split not in SPLITS:
            raise ValueError(f"split must be one of {[*SPLITS, 'all']}, got {split!r}")
        folders = (data_root(root), data_root(root) / "celeba")
        table = find_file([folder / "list_attr_celeba.txt" for folder in folders], WHERE)
        names, self.label_names, attributes = _read_attributes(table)
        partition = find_file([table.with_name("list_eval_partition.txt")], WHERE)
        part = _read_partition(partition, names)
        chosen = np.flatnonzero(part == SPLITS[split]) if split != "all" else np.arange(len(names))
        self._labels = torch.from_numpy(attributes[chosen])
        kept = [names[index] for index in chosen]
        self._pictures = Pictures(table.parent / FOLDER, kept, size, 3, crop)
        self.image_shape = self._pictures.image_shape
        _require_pictures(self._pictures)

    def __len__(self) -> int:
        return len(self._labels)

    def images(self, indices: object) -> Images:
        """Decode the images of some indices."""
        return self._pictures.read(as_indices(indices, len(self)))

    def labels(self, indices: object) -> Int[Tensor, "n n_attributes"]:
        """The attributes of some indices: 1 if the face has it, else 0."""
        return self._labels[as_indices(indices, len(self))].long()

    def targets(self, index: int) -> Int[Tensor, " n_attributes"]:
        """The attributes of one image."""
        return self._labels[index].long()


def _read_attributes(file: Path) -> tuple[list[str], tuple[str, ...], np.ndarray]:
    """How many there are, their names, and per picture its name and 1 or -1 for each attribute."""
    with reading(file):
        count, header, *rows = file.read_text(encoding="ascii").splitlines()
        if int(count) != len(rows):
            raise ValueError(f"{count} pictures announced, {len(rows)} there")
        names = [row.partition(" ")[0] for row in rows]
        labels = tuple(header.split())
        signs = np.loadtxt(rows, dtype=np.int8, usecols=range(1, len(labels) + 1), ndmin=2)
        if not np.isin(signs, (-1, 1)).all():
            raise ValueError("an attribute is neither -1 nor 1")
    return names, labels, (signs + 1) // 2


def _read_partition(file: Path, names: list[str]) -> np.ndarray:
    with reading(file):
        rows = [row.partition(" ") for row in file.read_text(encoding="ascii").splitlines()]
        if [name for name, _, _ in rows] != names:
            raise ValueError("its pictures are not those of list_attr_celeba.txt")
        return np.array([int(part) for _, _, part in rows])


def _require_pictures(pictures: Pictures) -> None:
    there = {path.name for path in pictures.folder.glob("*")}
    missing = next((name for name in pictures.names if name not in there), None)
    if missing is not None:
        find_file([pictures.folder / missing], f"unpack {FOLDER}.zip there; {WHERE}")
