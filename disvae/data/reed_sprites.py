"""The 2D sprites of Reed et al., from their MATLAB files."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.array import FactorArray
from disvae.data.factors import as_indices
from disvae.data.files import data_root, find_file, open_h5, reading
from disvae.data.matlab import read_mat
from disvae.data.pictures import find_folder

SIDE = 60
ACTIONS = ("spellcast", "thrust", "walk", "slash", "shoot")
N_VIEWS = 4
ATTRIBUTES = ("body", "sex", "hair", "armor", "arm", "greaves", "weapon")
SPLITS = {"train": "trainidx", "val": "validx", "test": "testidx"}
WHERE = (
    "unpack http://www.scottreed.info/files/nips2015-analogy-data.tar.gz there, "
    "in which they are data/sprites"
)


class ReedSprites(FactorArray):
    """2D Sprites: RGB images 60×60 of 672 characters of a video game in five animations.

    The factors are character, action (spellcast, thrust, walk, slash, shoot), view (4 directions)
    and frame, in the order of the files. Not all combinations are there: an animation has 6 to 13
    frames. The files' last animation, which has one view, is left out. All images need over 1 GB of
    memory.

    Args:
        root: folder that holds the files ``sprites_….mat``, itself or in ``sprites/`` or
            ``data/sprites/``; $DISVAE_DATA or ``~/.disvae/data`` if None.
        split: "train" (500 characters), "val" (72), "test" (100), or "all".

    Attributes:
        attribute_names: what :meth:`attributes` gives, in the order in which the paper names them;
            the files do not name them.

    Raises:
        FileNotFoundError: the files are missing; the message says where to get them.
        ValueError: an unknown split, or a damaged file.

    Reference:
        Deep Visual Analogy-Making, Reed et al. 2015
    """

    attribute_names = ATTRIBUTES

    def __init__(self, root: str | Path | None = None, split: str = "all") -> None:
        if split != "all" and split not in SPLITS:
            raise ValueError(f"split must be one of {[*SPLITS, 'all']}, got {split!r}")
        base = data_root(root)
        places = [base / "data" / "sprites", base / "sprites", base]
        folder = find_folder(places, "sprites_[0-9]*.mat", WHERE)
        images, factors, attributes = [], [], []
        for character, file in enumerate(_files(folder, split)):
            with reading(file):
                frames, positions, attribute = _read(file)
            images.append(frames)
            factors.append(np.insert(positions, 0, character, axis=1))
            attributes.append(attribute)
        table = np.concatenate(factors)
        super().__init__(
            np.concatenate(images), table, ("character", "action", "view", "frame"), max_value=255
        )
        self._attributes = torch.from_numpy(np.stack(attributes))

    def attributes(self, indices: object) -> Int[Tensor, "n 7"]:
        """The attributes of the character in some images.

        Of the weapon, only some actions show anything.
        """
        return self._attributes[self._factors[as_indices(indices, len(self)), 0]]


def _files(folder: Path, split: str) -> list[Path]:
    """The characters' files by their number, those of a split in its order, which counts from 1."""
    if split == "all":
        files = [path for path in folder.glob("*.mat") if re.fullmatch(r"sprites_\d+", path.stem)]
        return sorted(files, key=lambda path: int(path.stem.removeprefix("sprites_")))
    splits = find_file([folder / "sprites_splits.mat"], WHERE)
    with reading(splits):
        numbers = read_mat(splits, SPLITS[split]).ravel().astype(int)
    return [find_file([folder / f"sprites_{number - 1}.mat"], WHERE) for number in numbers]


def _read(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The frames of one character, their (action, view, frame), and the character's attributes."""
    with open_h5(file) as archive:
        attributes = np.asarray(archive["labels"]).ravel()
        if len(attributes) != len(ATTRIBUTES):
            raise ValueError(f"{len(attributes)} labels, not {len(ATTRIBUTES)}")
        animations = [archive[reference] for reference in np.ravel(archive["sprites"])]
        if len(animations) < len(ACTIONS) * N_VIEWS:
            raise ValueError(f"{len(animations)} animations, not {len(ACTIONS) * N_VIEWS} or more")
        parts = list(_animations(animations[: len(ACTIONS) * N_VIEWS]))
    images, positions = (np.concatenate(part) for part in zip(*parts, strict=True))
    return images, positions, attributes.astype(np.int64)


def _animations(animations: list) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    for number, animation in enumerate(animations):
        pixels = np.asarray(animation)
        if pixels.ndim != 2 or pixels.shape[1] != 3 * SIDE**2 or pixels.dtype.kind != "f":
            raise ValueError(f"an animation is {pixels.dtype} of shape {pixels.shape}")
        if not (pixels.min() >= -0.5 and pixels.max() <= 1.5):  # a little beyond is clipped
            raise ValueError("pixels are not from 0 to 1")
        pixel_bytes = np.rint(255 * pixels.clip(0, 1)).astype(np.uint8)
        # MATLAB stores column after column.
        images = pixel_bytes.reshape(-1, 3, SIDE, SIDE).swapaxes(2, 3)
        action, view = divmod(number, N_VIEWS)
        yield images, np.array([(action, view, frame) for frame in range(len(images))])
