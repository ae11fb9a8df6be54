"""What a run from elsewhere may do when it is opened, and what one's own may."""

import sys
from contextlib import suppress
from pathlib import Path

import h5py
import pytest
import torch
import yaml

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.cli.main import main
from disvae.cli.tables import read_table
from disvae.data import ImageFolder, Sprites, StoredFactors, random_subset, store
from disvae.files import refuse_links, replacing, write_atomically
from disvae.training import load_run
from disvae.trust import is_mine, sign, trusting

MODULE = """
from pathlib import Path
from disvae import BurgessVAE
Path({mark!r}).touch()
class Mine(BurgessVAE):
    pass
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    data = random_subset(Sprites(size=16), 20, seed=0)
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    folder = tmp_path / "run"
    Trainer(model, VAELoss(), run_dir=folder, batch_size=4, accelerator="cpu", progress=False).fit(
        data, 2
    )
    return folder


def edit(run: Path, **parts: object) -> None:
    """Do what a stranger would who sends a run: write its configuration, without a signature."""
    file = run / "config.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **parts}))


def described(path: str, **arguments: object) -> dict[str, object]:
    return {"class_path": path, "init_args": arguments}


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_ones_own_run_is_signed_and_a_changed_one_is_not(run: Path) -> None:
    content, signature = (run / "config.yaml").read_bytes(), (run / "config.sig").read_text()
    assert is_mine(content, signature.strip())
    assert not is_mine(content + b" ", signature.strip())
    assert not is_mine(content, "")
    assert not is_mine(content, "ü")


def test_the_key_is_made_once_for_this_user_alone(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "below" / "key"
    monkeypatch.setenv("DISVAE_KEY", str(file))
    first = sign(b"content")
    assert file.stat().st_mode & 0o777 == 0o600
    assert sign(b"content") == first != sign(b"other")
    monkeypatch.setenv("DISVAE_KEY", str(tmp_path / "another"))
    assert sign(b"content") != first
    file.write_bytes(b"short")
    monkeypatch.setenv("DISVAE_KEY", str(file))
    assert not is_mine(b"content", first)


def test_code_of_the_folder_is_not_imported_unless_it_is_trusted(
    run: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    mark = tmp_path / "imported"
    (run / "evil.py").write_text(MODULE.format(mark=str(mark)))
    monkeypatch.chdir(run)
    monkeypatch.setattr(sys, "path", list(sys.path))
    edit(run, model=described("evil.Mine", image_shape=[1, 16, 16], latent_dim=2))
    with pytest.raises(ValueError, match=r"it names 'evil.Mine'.*--trust evil.Mine"):
        load_run(run).model()
    assert main(["encode", str(run), "--output", str(tmp_path / "codes.npz")]) == 2
    assert "--trust evil.Mine" in capsys.readouterr().err
    assert not mark.exists()
    assert load_run(run, trust=["evil"]).model().latent_dim == 2
    assert mark.exists()
    with trusting(["evil.Mine"]):
        assert load_run(run).model().latent_dim == 2
    assert main(["traverse", str(run), "--trust", "evil"]) == 0
    assert main(["traverse", str(run), "--trust=evil"]) == 0
    assert main(["traverse", str(run), "--trust"]) == 2


def test_ones_own_run_may_name_ones_own_code(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "my_networks.py").write_text(MODULE.format(mark=str(tmp_path / "imported")))
    monkeypatch.chdir(tmp_path)
    options = ["--data.size", "16", "--n_images", "8", "--batch_size", "2", "--steps", "2"]
    options += ["--accelerator", "cpu", "--progress", "false", "--run_dir", "run"]
    assert main(["train", "--model", "my_networks.Mine", *options]) == 0
    assert type(load_run("run").model()).__name__ == "Mine"
    assert main(["traverse", "run"]) == 0
    edit(Path("run"))
    with pytest.raises(ValueError, match=r"names 'my_networks.Mine'"):
        load_run("run").model()
    assert main(["train", "--model", "my_networks.Mine", *options]) == 0  # it is, after all
    assert type(load_run("run").model()).__name__ == "Mine"


@pytest.mark.parametrize("part", ["model", "loss", "data"])
@pytest.mark.parametrize("path", ["os.system", "subprocess.Popen", "torch.load", "disvae.Trainer"])
def test_a_configuration_names_no_other_code(part: str, path: str, run: Path) -> None:
    edit(run, **{part: described(path, command="true")})
    opened = load_run(run)
    with pytest.raises(ValueError, match=rf"names '{path}'"):
        {"model": opened.model, "loss": opened.criterion, "data": opened.data}[part]()


def test_reading_never_writes(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "home" / "authorized_keys.npy"
    sprites = described("disvae.data.Sprites", size=16)
    for name in ("Stored", "StoredFactors", "storage.StoredFactors"):
        spec = described(f"disvae.data.{name}", dataset=sprites, file=str(target))
        for data in (spec, described("disvae.data.Slice", dataset=spec, fixed={"shape": 1})):
            edit(run, data=data)
            before = files(tmp_path)
            assert load_run(run).data().images([0]).shape == (1, 1, 16, 16)
            assert files(tmp_path) == before
        edit(run, data=described("disvae.data.Slice", dataset=sprites, fixed=[spec]))
        with pytest.raises(ValueError, match="its data cannot be built"):
            load_run(run).data()
        assert files(tmp_path).keys() == before.keys()
    assert not target.parent.exists()


def test_every_argument_that_is_a_path_is_looked_at(run: Path, tmp_path: Path) -> None:
    picture = str(tmp_path / "x.png")
    sprites = described("disvae.data.DSprites", root=str(run))
    edit(run, data=described("disvae.data.ScreamSprites", dataset=sprites, picture=picture))
    with pytest.raises(ValueError, match=r"not signed as yours.*x\.png.*--trust .*Scream"):
        load_run(run).data()


def test_links_in_the_run_are_not_followed(run: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (16, 16)).save(tmp_path / "private.png")
    (run / "pictures").mkdir()
    (run / "pictures" / "one.png").symlink_to(tmp_path / "private.png")
    edit(run, data=described("disvae.data.ImageFolder", root=str(run / "pictures"), size=16))
    with pytest.raises(ValueError, match=r"one\.png is a link to"):
        load_run(run).data()


@pytest.mark.parametrize("kind", ["external", "link", "virtual"])
def test_an_archive_reads_no_other_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"TOP SECRET KEY")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["a"] = [1, 2]
    with h5py.File(tmp_path / "a.h5", "w") as archive:
        if kind == "external":
            place = [(str(tmp_path / "secret.bin"), 0, 14)]
            archive.create_dataset("a", shape=(14,), dtype="u1", external=place)
        elif kind == "link":
            archive["a"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "a")
        else:
            layout = h5py.VirtualLayout(shape=(2,), dtype="i8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", shape=(2,))
            archive.create_virtual_dataset("a", layout)
    with pytest.raises(ValueError, match="'a' lies in another file or is a link"):
        read_table(f"{tmp_path}/a.h5")


def test_training_signs_what_it_was_told_and_not_what_was_there(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    hidden = {"model.class_path": config["model"]["class_path"]}
    edit(run, model={**config["model"], "class_path": "evil.Mine"}, **hidden)
    torch.manual_seed(0)
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    trainer = Trainer(
        model, VAELoss(), run_dir=run, batch_size=4, accelerator="cpu", progress=False
    )
    with suppress(ValueError):  # it may well be refused
        trainer.fit(random_subset(Sprites(size=16), 20, seed=0), 2)
    opened = load_run(run)
    if is_mine((run / "config.yaml").read_bytes(), (run / "config.sig").read_text().strip()):
        assert opened.config["model"]["class_path"] == "disvae.models.BurgessVAE"
        assert "model.class_path" not in opened.config


@pytest.mark.parametrize(
    "model",
    [
        "hello",
        5,
        [1],
        {"class_path": 5},
        {"class_path": "disvae.models.BurgessVAE", "init_args": 1},
        described("disvae.models.BurgessVAE", nope=1),
        described("disvae.models.LatentModel"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_one_line(model, run: Path, capsys) -> None:
    edit(run, model=model)
    assert main(["traverse", str(run)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_ones_own_run_reads_its_stored_images(tmp_path: Path) -> None:
    data = store(Sprites(size=16), tmp_path / "images.npy", progress=False)
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    run = Trainer(model, VAELoss(), run_dir=tmp_path / "run", accelerator="cpu", progress=False)
    run.fit(data, 1)
    assert isinstance(load_run(tmp_path / "run").data(), StoredFactors)


def test_data_is_read_in_the_run_or_where_the_users_data_lies(
    run: Path, tmp_path: Path, monkeypatch
) -> None:
    from PIL import Image

    for folder in (tmp_path / "private", run / "pictures", tmp_path / "data" / "pictures"):
        folder.mkdir(parents=True)
        Image.new("L", (16, 16)).save(folder / "one.png")
    monkeypatch.setenv("DISVAE_DATA", str(tmp_path / "data"))
    for root in (run / "pictures", tmp_path / "data" / "pictures"):
        edit(run, data=described("disvae.data.ImageFolder", root=str(root), size=16))
        assert isinstance(load_run(run).data(), ImageFolder)
    for root in (tmp_path / "private", run / ".." / "private"):
        edit(run, data=described("disvae.data.ImageFolder", root=str(root), size=16))
        with pytest.raises(ValueError, match=r"not signed as yours.*--trust disvae.data.ImageFold"):
            load_run(run).data()
        assert len(load_run(run, trust=["disvae.data.ImageFolder"]).data()) == 1


def test_nothing_is_written_through_links(run: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in ("traversal.png", ".evaluation.json.tmp", "evaluation.json", "evaluation.png"):
        (run / name).symlink_to(precious)
    assert main(["traverse", str(run)]) == 0
    assert main(["evaluate", str(run), "--points", "20", "--metrics", "MIG"]) == 0
    assert precious.read_text() == "mine"
    assert not (run / "traversal.png").is_symlink()
    assert not (run / "evaluation.json").is_symlink()


@pytest.mark.parametrize("name", ["checkpoint.pt", "log.jsonl", "weights", "starts.jsonl", ".lock"])
def test_training_does_not_go_on_in_a_folder_with_links(name: str, run: Path, tmp_path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(precious)
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    trainer = Trainer(
        model, VAELoss(), run_dir=run, batch_size=4, accelerator="cpu", progress=False
    )
    with pytest.raises(ValueError, match="is a link"):
        trainer.fit(random_subset(Sprites(size=16), 20, seed=0), 4)
    assert precious.read_text() == "mine"


def test_a_list_of_pictures_removes_nothing_else(run: Path) -> None:
    (run / "pictures.txt").write_text("config.yaml\n../precious\nmine.png\nlog.jsonl\n")
    (run / "mine.png").touch()
    (run.parent / "precious").touch()
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    Trainer(model, VAELoss(), run_dir=run, batch_size=4, accelerator="cpu", progress=False).fit(
        random_subset(Sprites(size=16), 20, seed=0), 4
    )
    assert (run / "config.yaml").exists()
    assert (run / "log.jsonl").exists()
    assert (run.parent / "precious").exists()
    assert not (run / "mine.png").exists()


def test_files_are_written_beside_links_and_leftovers_go(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, b"one")
    (tmp_path / "plain").touch()
    assert file.stat().st_mode == (tmp_path / "plain").stat().st_mode  # as the umask has it
    (tmp_path / "plain").unlink()
    (tmp_path / "link").symlink_to(file)
    write_atomically(tmp_path / "link", b"two")
    assert file.read_bytes() == b"one"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}
    refuse_links(tmp_path)
    (tmp_path / "other").symlink_to(file)
    with pytest.raises(ValueError, match=r"other is a link to .*file"):
        refuse_links(tmp_path)


def test_what_fails_while_a_file_is_written_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no data"), replacing(tmp_path / "a"):
        raise FileNotFoundError("there is no data")
    assert not list(tmp_path.iterdir())
    (tmp_path / "private").touch(mode=0o600)
    write_atomically(tmp_path / "private", b"content")
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o600
