import json

import imageio.v3 as imageio
import pytest

from disvae.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    small = ["--n_images", "20", "--steps", "2", "--model.latent_dim", "3", "--loss", "VAELoss"]
    arguments = [*small, "--progress", "false", "--accelerator", "cpu", "--run_dir", str(run)]
    assert main(["train", *arguments]) == 0
    return run


def test_draws_into_the_run_directory(run):
    assert main(["traverse", str(run)]) == 0
    assert imageio.imread(run / "traversal.png").shape[1] == 1800


def test_another_image_and_another_file(run, tmp_path):
    for index in ("0", "19"):
        output = tmp_path / f"{index}.png"
        assert main(["traverse", str(run), "--image", index, "--output", str(output)]) == 0
    assert (tmp_path / "0.png").read_bytes() != (tmp_path / "19.png").read_bytes()


def test_json_is_the_file_and_nothing_else(run, tmp_path, capsys):
    output = str(tmp_path / "x.png")
    assert main(["traverse", str(run), "--output", output, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": output}


def test_the_folder_of_the_file_is_made(run, tmp_path, capsys):
    output = tmp_path / "new" / "er" / "x.png"
    assert main(["traverse", str(run), "--output", str(output)]) == 0
    assert output.exists()
    assert main(["traverse", str(run), "--output", str(tmp_path / "x")]) == 2
    assert "x has no ending, which says the format: " in capsys.readouterr().err
    assert not list(tmp_path.glob("x*"))
    assert main(["traverse", str(run), "--output", str(output / "y.png")]) == 2
    assert f"error: {output}: File exists" in capsys.readouterr().err


@pytest.mark.parametrize("index", ["-1", "20"])
def test_an_image_that_does_not_exist_is_refused(run, index, capsys):
    assert main(["traverse", str(run), "--image", index]) == 2
    assert f"images must be from 0 to 19, got {index}" in capsys.readouterr().err
