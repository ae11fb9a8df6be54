"""Data sets by name."""

from pathlib import Path

from disvae.data.catalogue import entry
from disvae.data.dataset import ImageDataset


def load(name: str, root: str | Path | None = None) -> ImageDataset:
    """The data set of that name.

    Args:
        name: such as "sprites", "dsprites", "shapes3d", "mnist", or a two-dimensional set of
            MedMNIST such as "chestmnist"; ``disvae data list`` has them all. Capitals do not
            matter.
        root: folder of its files; $DISVAE_DATA or ``~/.disvae/data`` if None.

    Raises:
        ValueError: there is no such data set; the message names the nearest.
        FileNotFoundError: its files are not there; the message says where to get them.

    Example:
        >>> len(load("Sprites"))
        737280
    """
    return entry(name).open(root)
