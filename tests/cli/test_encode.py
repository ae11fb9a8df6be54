import json

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.cli.main import main
from disvae.cli.tables import read_table
from disvae.data import ImageFolder
from disvae.training import encode_posteriors, load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    small = ["--n_images", "40", "--steps", "2", "--batch_size", "4", "--model.latent_dim", "3"]
    quiet = ["--progress", "false", "--accelerator", "cpu", "--loss", "VAELoss"]
    assert main(["train", "--run_dir", str(run), *small, *quiet]) == 0
    return run


def assert_posteriors(archive, run, data, indices) -> None:
    posterior = encode_posteriors(load_run(run).model(), data, indices, progress=False)
    torch.testing.assert_close(torch.from_numpy(archive["mean"]), posterior.loc)
    log_var = torch.from_numpy(archive["log_var"])
    torch.testing.assert_close(log_var, posterior.variance.log(), rtol=1e-4, atol=1e-5)


def test_all_images_of_the_run_with_their_factors(run, capsys) -> None:
    assert main(["encode", str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(run / "codes.npz")
    assert said["shape"] == [40, 3]
    data = load_run(run).data()
    with np.load(run / "codes.npz", allow_pickle=False) as archive:
        assert_posteriors(archive, run, data, torch.arange(40))
        assert archive["factors"].tolist() == data.factors(range(40)).tolist()
        assert tuple(archive["factor_names"]) == data.space.names == tuple(said["factors"])


def test_some_images_as_a_table(run, tmp_path, capsys) -> None:
    file = tmp_path / "codes.csv"
    some = ["--points", "7", "--seed", "3", "--output", str(file)]
    assert main(["encode", str(run), *some]) == 0
    assert "codes of 7 images" in capsys.readouterr().out
    table, columns = read_table(str(file))
    names = [f"{kind}_{j}" for kind in ("mean", "log_var") for j in range(3)]
    data = load_run(run).data()
    assert columns == ("index", *names, *data.space.names)
    chosen = torch.randperm(40, generator=torch.Generator().manual_seed(3))[:7].sort().values
    assert table[:, 0].tolist() == chosen.tolist()
    assert_posteriors(
        {"mean": table[:, 1:4].astype(np.float32), "log_var": table[:, 4:7].astype(np.float32)},
        run,
        data,
        chosen,
    )
    assert table[:, 7:].astype(int).tolist() == data.factors(chosen).tolist()


def test_evaluate_reads_what_encode_writes(run, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["encode", str(run), "--output", "c.npz"]) == 0
    capsys.readouterr()
    files = ["--codes", "c.npz:mean", "--factors", "c.npz:factors"]
    assert main(["evaluate", *files, "--metrics", "MIG", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "evaluation.json").read_text())
    assert list(report["scores"]["MIG"]["per_factor"]) == list(load_run(run).data().space.names)


def test_a_folder_of_ones_own(run, tmp_path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("b", "a"):
        picture = rng.integers(256, size=(80, 100, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{name}.png")
    file = tmp_path / "own.npz"
    assert main(["encode", str(run), "--images", str(folder), "--output", str(file)]) == 0
    with np.load(file) as archive:
        data = ImageFolder(folder, size=64, channels=1)
        assert_posteriors(archive, run, data, torch.arange(2))
        assert "factors" not in archive


@pytest.mark.parametrize("largest", [1, 255])
def test_an_array_of_ones_own(run, tmp_path, largest) -> None:
    images = np.random.default_rng(0).integers(largest + 1, size=(5, 64, 64), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    own = ["--images", str(tmp_path / "x.npy"), "--output", str(tmp_path / "own.npz")]
    assert main(["encode", str(run), *own]) == 0
    x = torch.from_numpy(images)[:, None].float() / largest
    with np.load(tmp_path / "own.npz") as archive, torch.no_grad():
        mean = load_run(run).model().represent(x)
        torch.testing.assert_close(torch.from_numpy(archive["mean"]), mean)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--points", "41"], "--points must be from 1 to 40, got 41"),
        (["--output", "x.txt"], "must be a .npz or .csv file"),
        (["--images", "nowhere.npy"], "there is no file nowhere.npy"),
        (["--images", "nowhere.gif"], "must be a folder of pictures or a .npy file"),
        (["--images", "damaged.npy"], "damaged.npy is damaged"),
        (["--images", "floats.npy"], "expected uint8 images"),
        (["--images", "small.npy"], "(1, 8, 8) (channels, height, width), but the model takes"),
        (["--imgaes", "x"], "did you mean '--images'?"),
    ],
)
def test_mistakes_are_named(run, tmp_path, monkeypatch, capsys, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.npy").write_bytes(b"\x93NUMPY")
    np.save("floats.npy", np.zeros((2, 64, 64)))
    np.save("small.npy", np.zeros((2, 8, 8), np.uint8))
    assert main(["encode", str(run), *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_images_are_those_that_training_saw(run) -> None:
    """The indices are those of the run's data, whose subset is drawn again from its seed."""
    assert main(["encode", str(run), "--points", "1", "--seed", "1"]) == 0
    finished = load_run(run)
    with np.load(run / "codes.npz") as archive, torch.no_grad():
        index = torch.from_numpy(archive["indices"])
        mean = finished.model().represent(finished.data().floats(index))
        torch.testing.assert_close(torch.from_numpy(archive["mean"]), mean)
