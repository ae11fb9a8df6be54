"""Where data files lie, and errors that name them."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def data_root(root: str | Path | None) -> Path:
    """The folder of the data files: ``root``, or $DISVAE_DATA, or ``~/.disvae/data``."""
    return Path(root or os.environ.get("DISVAE_DATA") or "~/.disvae/data").expanduser()


def find_file(candidates: list[Path], where_to_get: str) -> Path:
    """The first of the files that exists.

    Raises:
        FileNotFoundError: none does; the message says which were looked for, and where to get one.
    """
    for file in candidates:
        if file.is_file():
            return file
    tried = " or ".join(str(file) for file in candidates)
    raise FileNotFoundError(
        f"there is no {tried}: {where_to_get}; `disvae data list` says which files `disvae data "
        "download NAME` gets"
    )


# TokenError and SyntaxError: what NumPy raises on a header that is no longer Python.
DAMAGE = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn what a damaged file makes the readers raise into a ``ValueError`` that names it."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(
            f"{file} is damaged, cut short, or not what its name says ({error}): get it again"
        ) from error


def read_npz(file: Path, *names: str) -> list[NDArray]:
    """Some arrays of an npz file, without unpickling and without reading the others.

    Not by ``np.load``, which takes files of other kinds too, and whose errors advise to unpickle.
    """
    arrays = []
    with zipfile.ZipFile(file) as archive:
        for name in names:
            with archive.open(f"{name}.npy") as member:
                arrays.append(np.lib.format.read_array(member, allow_pickle=False))
    return arrays


@contextmanager
def open_h5(file: Path) -> Iterator[Any]:
    """Open an HDF5 file whose arrays lie in it, and nowhere else on the machine.

    Raises:
        ValueError: an array of it is a link, or is kept in other files.
    """
    import h5py

    with h5py.File(file, "r") as archive:
        for name in archive:
            link = archive.get(name, getlink=True)
            item = archive[name] if isinstance(link, h5py.HardLink) else None
            whole = isinstance(item, h5py.Group) or (
                isinstance(item, h5py.Dataset) and not item.external and not item.is_virtual
            )
            if not whole:
                raise ValueError(f"its array {name!r} lies in another file or is a link")
        yield archive
