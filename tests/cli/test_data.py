"""disvae data: the list, downloads from a server on this machine, checks and pictures."""

import hashlib
import http.server
import json
import threading

import matplotlib.image
import numpy as np
import pytest
import torch

from disvae.cli.main import main
from disvae.data import ImageDataset, Scenes3D, Sprites, catalogue, load
from disvae.data.catalogue import Entry
from disvae.data.download import RemoteFile


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A data set of one file, which a server on this machine has, under the name "toy"."""
    folder = tmp_path / "served"
    folder.mkdir()
    images = np.random.default_rng(0).integers(256, size=(30, 8, 8), dtype=np.uint8)
    np.save(folder / "toy.npy", images)
    content = (folder / "toy.npy").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def read(root):
        from disvae.data import ImageArray
        from disvae.data.files import data_root, find_file, reading

        file = find_file([data_root(root) / "toy/toy.npy"], "run disvae data download toy")
        with reading(file):
            return ImageArray(np.load(file), max_value=255)

    url = f"http://127.0.0.1:{server.server_port}/toy.npy"
    file = RemoteFile("toy/toy.npy", (url,), hashlib.md5(content).hexdigest())
    toy = Entry("30 of 1×8×8", "none", "MIT", "nobody", read, ("toy/toy.npy",), (file,))
    by_hand = Entry("3", "none", "licensed", "nobody", read, ("x",), by_hand="ask its authors")
    entries = {"toy": toy, "licensed": by_hand, "sprites": catalogue.PUBLISHED["sprites"]}
    monkeypatch.setattr(catalogue, "PUBLISHED", entries)
    yield tmp_path / "data"
    server.shutdown()
    server.server_close()


def run(capsys, *arguments):
    status = main(["data", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_download_check_and_show(served, capsys, tmp_path) -> None:
    root = ["--root", served]
    status, _, error = run(capsys, "check", "toy", *root)
    assert status == 2
    assert "run disvae data download toy" in error
    assert run(capsys, "download", "toy", *root)[0] == 0
    assert len(load("toy", served)) == 30
    status, out, _ = run(capsys, "check", "toy", *root)
    assert status == 0
    assert "has the published checksum" in out
    assert "30 images of 1×8×8" in out
    assert run(capsys, "show", "toy", *root, "--output", tmp_path / "new" / "toy.png")[0] == 0
    assert matplotlib.image.imread(tmp_path / "new" / "toy.png").std() > 0.05


def test_wrong_content_is_found(served, capsys) -> None:
    run(capsys, "download", "toy", "--root", served)
    (served / "toy/toy.npy").write_bytes(b"something else")
    status, _, error = run(capsys, "check", "toy", "--root", served)
    assert status == 2
    assert "toy.npy has the checksum" in error
    assert "delete it, and get it again" in error


def test_list(served, capsys) -> None:
    status, out, _ = run(capsys, "list", "--json", "--root", served)
    assert status == 0
    rows = json.loads(out)
    assert rows["toy"]["present"] is False
    assert rows["sprites"]["present"] is True
    assert rows["licensed"]["by_hand"] == "ask its authors"
    assert "chestmnist" in rows
    run(capsys, "download", "toy", "--root", served)
    assert json.loads(run(capsys, "list", "--json", "--root", served)[1])["toy"]["present"] is True
    status, out, _ = run(capsys, "list", "--root", served)
    assert "present" in out
    assert "missing" in out
    assert str(served) in out.replace("\n", "")


def test_what_cannot_be_downloaded_says_what_to_do(served, capsys) -> None:
    status, _, error = run(capsys, "download", "licensed", "--root", served)
    assert (status, "ask its authors" in error) == (2, True)
    status, out, _ = run(capsys, "download", "sprites", "--root", served)
    assert (status, "needs no file" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lsit"], "did you mean 'list'"),
        (["check", "dsprite"], "did you mean 'dsprites'"),
        (["show", "sprites", "--outptu", "x"], "did you mean '--output'"),
    ],
)
def test_mistakes_are_named(capsys, arguments, message) -> None:
    status, _, error = run(capsys, *arguments)
    assert status == 2
    assert message in error


def test_every_entry_is_complete() -> None:
    for name, known in catalogue.catalogue().items():
        assert all((known.images, known.known, known.licence, known.citation)), name
        assert not known.present or known.files or known.by_hand, name
        for file in known.files:
            assert all(url.startswith("http") for url in file.urls), name
            assert file.md5 is None or len(file.md5) == 32, name


@pytest.mark.parametrize("name", [n for n, e in catalogue.PUBLISHED.items() if e.present])
def test_missing_files_are_said(name, tmp_path, capsys) -> None:
    status, _, error = run(capsys, "check", name, "--root", tmp_path)
    assert status == 2
    assert str(tmp_path) in error


def test_files_arrive_where_their_readers_look(tmp_path) -> None:
    for name, known in catalogue.catalogue().items():
        if not known.files or any(file.unpack for file in known.files):
            continue
        for file in known.files:
            (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.path).touch()
        assert known.is_present(tmp_path), name
        with pytest.raises(ValueError, match="is damaged"):  # found, and empty
            known.open(tmp_path)


@pytest.mark.parametrize(("name", "cls"), [("sprites", Sprites), ("Scenes3D", Scenes3D)])
def test_rendered_sets_open(name, cls) -> None:
    data = load(name)
    assert isinstance(data, cls)
    assert isinstance(data, ImageDataset)


def test_figure_has_a_row_for_each_factor() -> None:
    from disvae.plots import dataset_figure

    figure = dataset_figure(Scenes3D(), rows=1)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["random", *(n.replace("_", " ") for n in Scenes3D().space.names)]
    with pytest.raises(ValueError, match="rows must be at least 1"):
        dataset_figure(Scenes3D(), rows=0)


def test_factor_rows_vary_one_factor_alone() -> None:
    from disvae.plots.dataset import COLUMNS, _varied

    sprites = Sprites()
    start = int(sprites.space.indices([[1, 3, 7, 10, 20]]))
    row = _varied(sprites, 1, start)
    expected = sprites.images(sprites.space.indices([[1, s, 7, 10, 20] for s in range(6)]))
    assert torch.equal(row[:6], expected.float())
    assert (row[6:] == 1).all()
    assert len(row) == COLUMNS
