import numpy as np
import pytest
import torch
from PIL import Image

from disvae.data import ImageFolder
from disvae.spec import build, describe


def write(path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 10, 3), value, np.uint8)).save(path)


def test_sorted_with_subfolders_as_labels(tmp_path) -> None:
    for value, name in enumerate(["dog/a.png", "cat/b.PNG", "cat/deep/a.bmp", "cat/a.png"]):
        write(tmp_path / name, 10 * value)
    write(tmp_path / "cat" / ".hidden.png", 99)
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    data = ImageFolder(tmp_path, size=8)
    assert len(data) == 4
    assert data.image_shape == (3, 8, 8)
    assert data.label_names == ("cat", "dog")
    assert data.images(range(4))[:, 0, 0, 0].tolist() == [30, 10, 20, 0]
    assert data.labels([3, 0]).tolist() == [1, 0]
    image, label = data[-1]
    assert label == 1
    assert image.max() == 0


def test_without_subfolders_there_are_no_labels(tmp_path) -> None:
    write(tmp_path / "a.png", 7)
    data = ImageFolder(tmp_path, size=4, channels=1, crop=6)
    assert data.image_shape == (1, 4, 4)
    assert torch.equal(data.images([0]), torch.full((1, 1, 4, 4), 7, dtype=torch.uint8))
    assert data[0][1].numel() == 0
    with pytest.raises(ValueError, match="no labels"):
        data.labels([0])


def test_is_described_by_plain_values(tmp_path) -> None:
    write(tmp_path / "a.png", 7)
    again = build(describe(ImageFolder(tmp_path, size=16)), ImageFolder)
    assert again.image_shape == (3, 16, 16)


def test_missing_folder_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ImageFolder(tmp_path / "nowhere")


def test_ambiguous_and_empty_folders_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="no pictures"):
        ImageFolder(tmp_path)
    write(tmp_path / "a.png", 0)
    write(tmp_path / "cat" / "a.png", 0)
    with pytest.raises(ValueError, match="beside subfolders"):
        ImageFolder(tmp_path)


def test_damaged_picture_is_named(tmp_path) -> None:
    write(tmp_path / "a.png", 0)
    write(tmp_path / "b.png", 0)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:45])
    data = ImageFolder(tmp_path)
    data.images([0])
    with pytest.raises(ValueError, match=r"b\.png is damaged"):
        data.images([0, 1])
