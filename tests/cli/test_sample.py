import json

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.cli.main import main
from disvae.training import load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    small = ["--n_images", "16", "--steps", "2", "--batch_size", "4", "--model.latent_dim", "3"]
    quiet = ["--progress", "false", "--accelerator", "cpu", "--loss", "VAELoss"]
    best = ["--monitor", "objective", "--log_every", "1"]
    assert main(["train", "--run_dir", str(run), *small, *quiet, *best]) == 0
    return run


def expected(run, n: int, seed: int) -> torch.Tensor:
    with torch.no_grad():
        return load_run(run).model().sample(n, torch.Generator().manual_seed(seed))


def test_archive_holds_the_images_of_the_prior(run, tmp_path, capsys) -> None:
    file = tmp_path / "new" / "s.npz"
    assert main(["sample", str(run), "--n", "300", "--seed", "4", "--output", str(file)]) == 0
    with np.load(file) as archive:
        images, codes = torch.from_numpy(archive["images"]), torch.from_numpy(archive["codes"])
    torch.testing.assert_close(images, expected(run, 300, 4))
    torch.testing.assert_close(codes, torch.randn(300, 3, generator=torch.manual_seed(4)))
    assert main(["sample", str(run), "--n", "300", "--seed", "5", "--output", str(file)]) == 0
    with np.load(file) as archive:
        assert not np.allclose(archive["images"], images)
    assert "wrote 300 images" in capsys.readouterr().out


def test_pictures_are_the_same_images(run, capsys) -> None:
    assert main(["sample", str(run), "--n", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n"], said["seed"], said["shape"]) == (3, 0, [1, 64, 64])
    files = sorted((run / "samples").iterdir())
    assert said["files"] == [str(file) for file in files]
    for file, image in zip(files, expected(run, 3, 0), strict=True):
        with Image.open(file) as picture:
            pixels = torch.from_numpy(np.array(picture)).float() / 255
        torch.testing.assert_close(pixels, image[0], atol=0.5 / 255 + 1e-6, rtol=0)


def test_pictures_of_an_earlier_call_are_not_taken_for_these(run, tmp_path, capsys) -> None:
    folder = ["--output", str(tmp_path / "some")]
    assert main(["sample", str(run), "--n", "3", *folder]) == 0
    assert main(["sample", str(run), "--n", "2", *folder]) == 2
    assert "1 other pictures, such as 00002.png" in capsys.readouterr().err
    assert main(["sample", str(run), "--n", "4", "--seed", "1", *folder]) == 0


def test_best_weights_make_other_images(run, tmp_path) -> None:
    for name in ("best", "last"):
        more = ["--best"] if name == "best" else []
        file = tmp_path / f"{name}.npz"
        assert main(["sample", str(run), "--n", "2", "--output", str(file), *more]) == 0
    with torch.no_grad():
        best = load_run(run).model(best=True).sample(2, torch.Generator().manual_seed(0))
    with np.load(tmp_path / "best.npz") as archive:
        torch.testing.assert_close(torch.from_numpy(archive["images"]), best)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n", "0"], "--n must be at least 1"),
        (["--output", "x.gif"], "must be a folder or a .npz file"),
        (["--sede", "1"], "did you mean '--seed'?"),
    ],
)
def test_mistakes_are_named(run, capsys, arguments, message) -> None:
    assert main(["sample", str(run), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_is_no_run_says_so(tmp_path, capsys) -> None:
    assert main(["sample", str(tmp_path)]) == 2
    assert "is not a run directory" in capsys.readouterr().err
