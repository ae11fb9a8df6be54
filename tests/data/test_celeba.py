"""CelebA's folder and its two lists, with a few faces."""

import numpy as np
import pytest
import torch
from PIL import Image
from published import write_celeba
from torchvision import transforms

from disvae.data import CelebA

NAMES = [f"{number:06d}.jpg" for number in range(1, 6)]
ATTRIBUTES = ("5_o_Clock_Shadow", "Arched_Eyebrows", "Young")
SIGNS = np.array([[-1, 1, 1], [1, 1, -1], [-1, -1, -1], [1, -1, 1], [-1, 1, -1]])
PARTS = [0, 0, 1, 2, 0]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "published"
    write_celeba(folder, NAMES, ATTRIBUTES, SIGNS, PARTS)
    return folder


@pytest.mark.parametrize(
    ("split", "rows"), [("all", range(5)), ("train", [0, 1, 4]), ("valid", [2]), ("test", [3])]
)
def test_splits(split, rows, folder) -> None:
    data = CelebA(folder, split)
    rows = list(rows)
    assert len(data) == len(rows)
    assert data.image_shape == (3, 64, 64)
    assert data.label_names == ATTRIBUTES
    assert data.labels(range(len(rows))).tolist() == (SIGNS[rows] == 1).astype(int).tolist()
    steps = [transforms.CenterCrop(148), transforms.Resize(64), transforms.PILToTensor()]
    with Image.open(folder / "img_align_celeba" / NAMES[rows[-1]]) as picture:
        expected = transforms.Compose(steps)(picture)
    assert torch.equal(data.images([len(rows) - 1])[0], expected)
    image, labels = data[0]
    assert image.dtype == torch.float32
    assert labels.tolist() == data.labels([0])[0].tolist()


def test_folder_below_and_another_size(folder) -> None:
    root = folder.rename(folder.parent / "celeba").parent
    assert CelebA(root, size=32, crop=None).images([0]).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("name", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_missing_list_is_named(name, folder) -> None:
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}.*mmlab\.ie\.cuhk"):
        CelebA(folder)


def test_missing_picture_is_named(folder) -> None:
    (folder / "img_align_celeba" / NAMES[2]).unlink()
    with pytest.raises(FileNotFoundError, match=r"000003\.jpg: unpack img_align_celeba\.zip"):
        CelebA(folder)
    assert len(CelebA(folder, "train")) == 3


@pytest.mark.parametrize("keep", [0, 1, 30, 60, -5])
@pytest.mark.parametrize("name", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_truncated_list_is_named(name, keep, folder) -> None:
    file = folder / name
    file.write_text(file.read_text()[:keep])
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        CelebA(folder)


def test_swapped_lists_are_named(folder) -> None:
    one, other = folder / "list_attr_celeba.txt", folder / "list_eval_partition.txt"
    content = one.read_text()
    one.write_text(other.read_text())
    with pytest.raises(ValueError, match=r"list_attr_celeba\.txt is damaged"):
        CelebA(folder)
    one.write_text(content)
    other.write_text(content)
    with pytest.raises(ValueError, match=r"list_eval_partition\.txt is damaged"):
        CelebA(folder)


def test_truncated_picture_is_named(folder) -> None:
    file = folder / "img_align_celeba" / NAMES[1]
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"000002\.jpg is damaged"):
        CelebA(folder).images([1])


def test_unknown_split(folder) -> None:
    with pytest.raises(ValueError, match="'valid', 'test', 'all'"):
        CelebA(folder, "val")
