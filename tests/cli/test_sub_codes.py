"""What parts of a code tell, on codes whose parts are known."""

import json
import struct

import numpy as np
import pytest
from painted import painted_run

from disvae.cli.main import main
from disvae.cli.sub_codes import read_part


@pytest.mark.parametrize(
    ("text", "expected"), [("0:2", [0, 1]), (":2", [0, 1]), ("8:", [8, 9]), ("3:4", [3])]
)
def test_parts(text, expected) -> None:
    assert read_part(text, 10) == expected


@pytest.mark.parametrize("text", ["4", "2:2", "-1:3", "8:11", "a:b", ""])
def test_what_is_no_part(text) -> None:
    with pytest.raises(ValueError, match=r"--parts takes FIRST:END within 0:10, such as 0:5, got"):
        read_part(text, 10)


def test_each_part_tells_its_own_factor(tmp_path, capsys) -> None:
    """Dimension 0 is red, with much noise, and the last one blue, with little."""
    painted_run(tmp_path)
    parts = ["--parts", "0:1", "2:", "--metrics", "MIG", "--json"]
    assert main(["evaluate", str(tmp_path), *parts]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "evaluation.json").read_text())
    red, blue = (report["parts"]["trained"][text] for text in ("0:1", "2:"))
    for part, own, other in ((red, "red", "blue"), (blue, "blue", "red")):
        assert part["mean"][own]["train"] > 0.9
        assert part["mean"][own]["test"] > 0.8
        assert part["mean"][other]["test"] < 0.45
        assert part["mean"][own]["chance"] == 0.2
    assert red["draw"]["red"]["test"] < 0.7 < 0.8 < blue["draw"]["blue"]["test"]


def test_the_table(tmp_path, capsys) -> None:
    painted_run(tmp_path)
    assert main(["evaluate", str(tmp_path), "--parts", "1:2", "--metrics", "MIG"]) == 0
    out = capsys.readouterr().out
    assert "accuracy from a part of the code" in out
    assert "green light" in out
    assert main(["evaluate", str(tmp_path), "--parts", "1:4", "--metrics", "MIG"]) == 2
    assert "--parts takes FIRST:END within 0:3" in capsys.readouterr().err


def test_of_data_with_labels(tmp_path, capsys, labelled) -> None:
    command = ["train", "--run_dir", str(tmp_path / "run"), *labelled, "--steps", "1"]
    small = ["--batch_size", "4", "--model", "MLPVAE", "--model.latent_dim", "4"]
    assert main([*command, *small, "--progress", "false", "--accelerator", "cpu"]) == 0
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert "or, if it has labels, --parts" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path / "run"), "--parts", "0:2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    row = report["parts"]["trained"]["0:2"]["mean"]["label"]
    assert 0 <= row["test"] <= 1
    assert row["chance"] == pytest.approx(0.1)


@pytest.fixture
def labelled(tmp_path) -> list[str]:
    """The options for 200 images of noise with ten labels, as MNIST's files have them."""
    generator = np.random.default_rng(0)
    images = generator.integers(256, size=(200, 28, 28), dtype=np.uint8)
    for name, array in (
        ("images-idx3", images),
        ("labels-idx1", (np.arange(200) % 10).astype(np.uint8)),
    ):
        header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / f"t10k-{name}-ubyte").write_bytes(header + array.tobytes())
    return ["--data", "MNIST", "--data.root", str(tmp_path), "--data.split", "test"]
