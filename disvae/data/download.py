"""Downloads that resume, try several addresses, and leave no half file under the final name."""

import errno
import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from tqdm import tqdm

CHUNK = 2**20
ATTEMPTS = 3  # at each address, each going on where the last was cut off


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        path: where it goes, below the folder of the data.
        urls: its addresses, in the order to try them.
        md5: of its content; None where none is published.
        unpack: whether it is an archive (.tar, .tar.gz, .zip) that is unpacked beside itself.
    """

    path: str
    urls: tuple[str, ...]
    md5: str | None = None
    unpack: bool = False


def download(file: RemoteFile, root: Path, progress: bool = True, timeout: float = 30.0) -> Path:
    """Bring a file to its place below ``root``, unless it is there already.

    What has arrived is kept in a file of the same name with ``.part`` behind it, until all of it is
    there and right; a later call goes on from that, after a cut line, a kill or a full disk.

    Args:
        file: what to get.
        root: the folder of the data.
        progress: show a progress bar.
        timeout: seconds without a byte after which an address is given up.

    Returns:
        The file's path.

    Raises:
        ConnectionError: no address gave the file; the message says why each did not, and where to
            put the file by hand.
        OSError: the disk is full, or the folder cannot be written to.
    """
    from filelock import FileLock

    target = root / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):  # a second process waits, and finds the file
        if not target.exists():
            _fetch_from_any(file, target, progress, timeout)
        if file.unpack:
            unpack(target)
    return target


def checksum(path: Path) -> str:
    """The MD5 of a file's content: what the publishers give, a guard against damage alone."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def unpack(archive: Path) -> None:
    """Unpack an archive beside itself: each of its top-level names is there as a whole, or not.

    Raises:
        ValueError: the archive is damaged, or names a place outside of its folder.
    """
    done = archive.with_name(f"{archive.name}.unpacked")
    if done.exists():
        return
    temporary = archive.with_name(f".{archive.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _refuse_escapes(packed.namelist())
                packed.extractall(temporary)
        else:
            with tarfile.open(archive) as packed_tar:
                packed_tar.extractall(temporary, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise ValueError(f"{archive} cannot be unpacked ({error}): get it again") from error
    for entry in temporary.iterdir():
        place = archive.with_name(entry.name)
        if place.is_dir():
            shutil.rmtree(place)
        entry.replace(place)
    temporary.rmdir()
    done.touch()


def _refuse_escapes(names: list[str]) -> None:
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"it names {name!r}, a place outside of its folder")


def _fetch_from_any(file: RemoteFile, target: Path, progress: bool, timeout: float) -> None:
    part = target.with_name(f"{target.name}.part")
    failures = []
    for url in file.urls:
        try:
            _fetch(url, part, progress, timeout)
            _verify(part, file.md5)
        except ConnectionError as error:
            failures.append(f"{url}: {error}")
            continue
        part.replace(target)
        return
    tried = "; ".join(failures) or "it has no address that a program can read"
    raise ConnectionError(
        f"cannot download {target.name} ({tried}). Get it by other means, and put it at {target}"
    )


def _verify(part: Path, md5: str | None) -> None:
    if md5 is not None and (found := checksum(part)) != md5:
        part.unlink()
        raise ConnectionError(f"its content has the checksum {found}, not {md5}")


def _fetch(url: str, part: Path, progress: bool, timeout: float) -> None:
    """Fetch all of ``url`` into ``part``, going on with what is there."""
    if not url.startswith(("http://", "https://")):
        raise ConnectionError("only http and https are read")
    for attempt in range(ATTEMPTS):
        try:
            _fetch_once(url, part, progress, timeout)
            return
        except urllib.error.HTTPError as error:
            raise ConnectionError(f"the server says {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                size = part.stat().st_size / 2**20
                raise OSError(
                    error.errno,
                    f"the disk is full: {size:.0f} MiB of {part.name} are kept, and the same "
                    "command goes on from there",
                ) from error
            if attempt == ATTEMPTS - 1:
                reason = getattr(error, "reason", None) or error
                raise ConnectionError(str(reason) or type(error).__name__) from error


def _fetch_once(url: str, part: Path, progress: bool, timeout: float) -> None:
    begin = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "disvae"})
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    try:
        response: Any = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing of the file lies beyond what is there
            raise
        part.unlink()  # whether it is the whole or something else: begin anew
        begin, response = 0, urllib.request.urlopen(url, timeout=timeout)
    with response:
        if begin and response.status != 206:  # the server sends all of it again
            begin = 0
        announced = response.headers.get("Content-Length")
        total = begin + int(announced) if announced else None
        with part.open("ab" if begin else "wb", buffering=0) as out:
            received = _copy(response, out, begin, total, part.name, progress)
    if total is not None and received != total:
        raise http.client.IncompleteRead(b"", total - received)


def _copy(
    response: Any, out: FileIO, begin: int, total: int | None, name: str, progress: bool
) -> int:
    bar = tqdm(
        total=total, initial=begin, unit="B", unit_scale=True, desc=name, disable=not progress
    )
    received = begin
    with bar:
        while chunk := response.read1(CHUNK):  # what has arrived: a kill loses nothing
            out.write(chunk)
            received += len(chunk)
            bar.update(len(chunk))
        os.fsync(out.fileno())
    return received
