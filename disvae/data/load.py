"""Data sets by name."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from disvae.data.dataset import ImageDataset
from disvae.data.dsprites import DSprites
from disvae.data.medmnist import MedMNIST, two_dimensional_sets
from disvae.data.mnist import MNIST
from disvae.data.sprites import Sprites

READERS: dict[str, Callable[[str | Path | None], ImageDataset]] = {
    "sprites": lambda root: Sprites(),
    "dsprites": DSprites,
    "mnist": MNIST,
}


def load(name: str, root: str | Path | None = None) -> ImageDataset:
    """The data set of that name.

    Args:
        name: "sprites", "dsprites", "mnist", or a two-dimensional set of MedMNIST such as
            "chestmnist"; capitals do not matter.
        root: folder of its files; $DISVAE_DATA or ``~/.disvae/data`` if None.

    Raises:
        ValueError: there is no such data set; the message names the nearest.

    Example:
        >>> len(load("Sprites"))
        737280
    """
    key = name.lower()
    if key in READERS:
        return READERS[key](root)
    medical = two_dimensional_sets()
    if key in medical:
        return MedMNIST(key, root)
    known = [*READERS, *medical]
    close = get_close_matches(key, known, n=1, cutoff=0.4)
    guess = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"unknown data set {name!r}; {guess}There are {', '.join(known)}")
