"""Downloads against a server on this machine that behaves badly in every way there is."""

import errno
import hashlib
import http.server
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from disvae.data import download as module
from disvae.data.download import RemoteFile, checksum, download, unpack

CONTENT = bytes(range(256)) * 4000  # about 1 MB
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Each path is another way to answer; every request is written down."""

    requests: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.requests.append((self.path, wanted))
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        getattr(self, self.path.strip("/").replace("-", "_"))(begin)

    def good(self, begin: int) -> None:
        if begin >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin:])

    def without_range(self, begin: int) -> None:
        self.good(0)

    def without_length(self, begin: int) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def cut(self, begin: int) -> None:
        """Sends 400,000 bytes of what is left, and hangs up."""
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin : begin + 400_000])

    def always_cut(self, begin: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000])

    def wrong(self, begin: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(bytes(len(CONTENT)))

    def moved(self, begin: int) -> None:
        self.send_response(302)
        self.send_header("Location", "/good")
        self.end_headers()

    def gone(self, begin: int) -> None:
        self.send_error(404)

    def forbidden(self, begin: int) -> None:
        self.send_error(403)

    def slow(self, begin: int) -> None:
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        for start in range(begin, len(CONTENT), 20_000):
            self.wfile.write(CONTENT[start : start + 20_000])
            time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Handler,), {"requests": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.base = f"http://127.0.0.1:{server.server_port}"
    server.requests = handler.requests
    yield server
    server.shutdown()
    server.server_close()


def remote(server, *paths, md5=MD5):
    return RemoteFile("set/data.bin", tuple(f"{server.base}/{path}" for path in paths), md5)


def fetch(file, root, **arguments):
    return download(file, root, progress=False, timeout=5, **arguments)


def names(root):
    return sorted(p.name for p in (root / "set").iterdir() if not p.name.endswith(".lock"))


@pytest.mark.parametrize("path", ["good", "without-range", "without-length", "moved", "slow"])
def test_file_arrives(server, tmp_path, path) -> None:
    target = fetch(remote(server, path), tmp_path)
    assert target == tmp_path / "set/data.bin"
    assert target.read_bytes() == CONTENT
    assert checksum(target) == MD5
    assert names(tmp_path) == ["data.bin"]
    asked = len(server.requests)
    fetch(remote(server, path), tmp_path)  # it is there
    assert len(server.requests) == asked


def test_cut_line_goes_on_where_it_was_cut(server, tmp_path) -> None:
    assert fetch(remote(server, "cut"), tmp_path).read_bytes() == CONTENT
    assert [r for _, r in server.requests] == [None, "bytes=400000-", "bytes=800000-"]


@pytest.mark.parametrize("path", ["good", "without-range"])
def test_what_an_earlier_call_left_is_used(server, tmp_path, path) -> None:
    part = tmp_path / "set/data.bin.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT[:500_000])
    assert fetch(remote(server, path), tmp_path).read_bytes() == CONTENT
    assert server.requests == [(f"/{path}", "bytes=500000-")]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 7])
def test_part_that_is_whole_or_too_long(server, tmp_path, size) -> None:
    part = tmp_path / "set/data.bin.part"
    part.parent.mkdir()
    part.write_bytes((CONTENT + bytes(7))[:size])
    assert fetch(remote(server, "good"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["wrong", "gone", "forbidden", "always-cut"])
def test_next_address_is_tried(server, tmp_path, bad) -> None:
    assert fetch(remote(server, bad, "good"), tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_every_failure_is_said_and_no_half_file_is_left(server, tmp_path) -> None:
    dead = "http://127.0.0.1:9/nothing"  # the discard port: nobody listens
    file = remote(server, "wrong", "gone", "always-cut")
    file = RemoteFile(file.path, (*file.urls, dead, "ftp://example.org/x"), MD5)
    with pytest.raises(ConnectionError) as raised:
        fetch(file, tmp_path)
    message = str(raised.value)
    for reason in (
        f"has the checksum {hashlib.md5(bytes(len(CONTENT))).hexdigest()}, not {MD5}",
        "the server says 404",
        "IncompleteRead",
        "refused",
        "only http and https are read",
        f"put it at {tmp_path / 'set/data.bin'}",
    ):
        assert reason in message
    assert not (tmp_path / "set/data.bin").exists()


def test_file_without_an_address_says_what_to_do(tmp_path) -> None:
    with pytest.raises(ConnectionError, match=r"no address .* put it at .*licensed\.npz"):
        fetch(RemoteFile("licensed.npz", ()), tmp_path)


def test_killed_download_goes_on(server, tmp_path) -> None:
    code = f"""
from pathlib import Path
from disvae.data.download import RemoteFile, download
download(RemoteFile("set/data.bin", ({server.base + "/slow"!r},), {MD5!r}), Path({str(tmp_path)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = tmp_path / "set/data.bin.part"
    while not (part.exists() and part.stat().st_size > 0) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "set/data.bin").exists()
    begun = part.stat().st_size
    assert fetch(remote(server, "good"), tmp_path).read_bytes() == CONTENT
    assert server.requests[-1] == ("/good", f"bytes={begun}-")


def test_two_processes_do_not_disturb_one_another(server, tmp_path) -> None:
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch(remote(server, "slow"), tmp_path), range(2)))
    assert [path.read_bytes() == CONTENT for path in paths] == [True, True]
    assert len(server.requests) == 1


def test_full_disk_keeps_what_is_there(server, tmp_path, monkeypatch) -> None:
    copy = module._copy

    def full(response, out, *rest):
        out.write(response.read(300_000))
        out.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_copy", full)
    with pytest.raises(OSError, match=r"the disk is full: 0 MiB of data\.bin\.part are kept"):
        fetch(remote(server, "good"), tmp_path)
    monkeypatch.setattr(module, "_copy", copy)
    fetch(remote(server, "good"), tmp_path)
    assert server.requests[-1] == ("/good", "bytes=300000-")


def make_tar(path: Path, name: str, content: bytes = b"car") -> None:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


def make_zip(path: Path, name: str, content: bytes = b"car") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_archives_are_unpacked_beside_themselves(tmp_path, make) -> None:
    make(tmp_path / "cars", "data/cars/a.mat")
    unpack(tmp_path / "cars")
    assert (tmp_path / "data/cars/a.mat").read_bytes() == b"car"
    (tmp_path / "data/cars/a.mat").write_bytes(b"mine")
    unpack(tmp_path / "cars")  # once is enough
    assert (tmp_path / "data/cars/a.mat").read_bytes() == b"mine"


@pytest.mark.parametrize("make", [make_tar, make_zip])
@pytest.mark.parametrize("name", ["../outside", "data/../../outside"])
def test_archives_cannot_write_elsewhere(tmp_path, make, name) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder / "cars", name)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(folder / "cars")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_damaged_archive_is_named(tmp_path, content) -> None:
    make_tar(tmp_path / "cars.tar.gz", "data/a", os.urandom(50_000))
    whole = (tmp_path / "cars.tar.gz").read_bytes()
    (tmp_path / "cars.tar.gz").write_bytes(whole[:20_000] if content is None else content)
    with pytest.raises(ValueError, match=r"cars\.tar\.gz cannot be unpacked"):
        unpack(tmp_path / "cars.tar.gz")
    assert not (tmp_path / "data").exists()
