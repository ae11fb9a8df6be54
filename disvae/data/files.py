"""Where data files lie, errors that name them, and files that are whole or absent."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def _keep(path: Path, previous: Path) -> None:
    """Give a file a second name, so that it is there under its own until it is replaced."""
    previous.unlink(missing_ok=True)
    try:
        previous.hardlink_to(path)
    except OSError:  # a file system without such links
        path.replace(previous)


def write_atomically(path: Path, content: bytes, previous: Path | None = None) -> None:
    """Replace the file at ``path``: a reader sees the old content or the new, never a part of it.

    The content reaches the disk before the name does, so that this also holds for a power cut.

    Args:
        path: the file.
        content: all of it.
        previous: where to keep the old file, if there is one.

    Raises:
        OSError: the disk is full, or cannot be written; the old file is intact.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if previous and path.exists():
            _keep(path, previous)
        temporary.replace(path)
    except OSError as error:
        raise OSError(
            error.errno, f"cannot write {path} ({error.strerror}); what was there is intact"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
