"""Writing: files are whole or absent, whenever the process is killed, and lie where they seem to.

Everything that disvae writes goes through here.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

SUFFIX = ".disvae.tmp"  # of files that are being written


@contextmanager
def replacing(path: Path, previous: Path | None = None) -> Iterator[BinaryIO]:
    """Write a file that takes the place of the one at ``path`` once it is whole.

    A reader sees the old content or the new, never a part of it, after a power cut too. The content
    goes into a file of a new random name beside it, so that a link that somebody has left in the
    folder is replaced, and what it points to is not written.

    Args:
        path: the file.
        previous: where to keep the old file, if there is one.

    Raises:
        OSError: the disk is full, or cannot be written; the old file is intact.
    """
    name = f".{path.name[:100]}.{secrets.token_hex(4)}{SUFFIX}"
    temporary = path.with_name(name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.is_file() and not path.is_symlink():
            temporary.chmod(path.stat().st_mode & 0o777)
        if previous and path.exists():
            _keep(path, previous)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.strerror is None or error.filename not in (None, str(temporary), str(path)):
            raise  # of what was to be written, not of the writing
        raise OSError(
            error.errno, f"cannot write {path} ({error.strerror}); what was there is intact"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes, previous: Path | None = None) -> None:
    """Replace the file at ``path`` by this content; see :func:`replacing`.

    Args:
        path: the file.
        content: all of it.
        previous: where to keep the old file, if there is one.

    Raises:
        OSError: the disk is full, or cannot be written; the old file is intact.
    """
    with replacing(path, previous) as file:
        file.write(content)


def open_to_append(path: Path) -> TextIO:
    """Open a file to add lines to; made if it does not exist.

    Raises:
        OSError: it cannot be written, or is a link.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o666), "a", encoding="utf-8")


def refuse_links(folder: Path) -> None:
    """Refuse to write in a folder, some file or folder of which lies elsewhere.

    Raises:
        ValueError: it has a symbolic link in it; the message names it.
    """
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ValueError(
                f"{path} is a link to {path.readlink()}, which would be written: put the file "
                "itself there, or remove the link"
            )


def remove_leftovers(folder: Path) -> None:
    """Remove the files that killed processes have left half written in a folder of ours."""
    for file in folder.rglob(f".*{SUFFIX}"):
        if file.is_file() and not file.is_symlink():
            file.unlink()


def _sync_folder(folder: Path) -> None:
    """Have the names of a folder reach the disk; not every system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _keep(path: Path, previous: Path) -> None:
    """Give a file a second name, so that it is there under its own until it is replaced."""
    previous.unlink(missing_ok=True)
    try:
        previous.hardlink_to(path)
    except OSError:  # a file system without such links
        path.replace(previous)
