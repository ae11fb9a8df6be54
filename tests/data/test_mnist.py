import gzip

import numpy as np
import pytest
import torch
from PIL import Image
from published import idx
from torchvision import datasets
from torchvision.transforms import Resize

from disvae.data import KMNIST, MNIST, FashionMNIST

SETS = {"MNIST": MNIST, "FashionMNIST": FashionMNIST, "KMNIST": KMNIST}


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (5, 28, 28), np.uint8), np.array([3, 1, 4, 1, 5], np.uint8)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("below", ["", "raw"])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_reads_idx_files(name, below, ending, split, prefix, arrays, tmp_path) -> None:
    folder = tmp_path / name / "raw" if below else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    pack = gzip.compress if ending else bytes
    for kind, array in zip(("images-idx3", "labels-idx1"), arrays, strict=True):
        (folder / f"{prefix}-{kind}-ubyte{ending}").write_bytes(pack(idx(array)))
    data = SETS[name](tmp_path, split)
    assert data.image_shape == (1, 28, 28)
    assert torch.equal(data.images([2, 0]), torch.from_numpy(arrays[0])[[2, 0]][:, None])
    image, label = data[4]
    assert label == 5
    torch.testing.assert_close(image[0], torch.from_numpy(arrays[0][4]).float() / 255)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("size", [20, 32])
def test_resized_as_torchvision_does(name, size, arrays, tmp_path) -> None:
    for kind, array in zip(("images-idx3", "labels-idx1"), arrays, strict=True):
        (tmp_path / f"train-{kind}-ubyte").write_bytes(idx(array))
    data = SETS[name](tmp_path, size=size)
    assert data.image_shape == (1, size, size)
    resize = Resize(size)
    expected = [np.asarray(resize(Image.fromarray(image))) for image in arrays[0]]
    assert data.images(range(5))[:, 0].tolist() == np.stack(expected).tolist()


def test_no_size(tmp_path) -> None:
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        MNIST(tmp_path, size=0)


def test_the_real_test_set(shared_data) -> None:
    data = MNIST(shared_data / "mnist", split="test")
    assert len(data) == 10_000
    assert torch.bincount(data.labels(range(10_000))).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_missing_file_is_named(name, tmp_path) -> None:
    where = rf"{name}/raw/train-images-idx3-ubyte.*torchvision\.datasets\.{name}\("
    with pytest.raises(FileNotFoundError, match=where):
        SETS[name](tmp_path)


def test_its_own_folder_comes_first(arrays, tmp_path) -> None:
    """All sets name their files alike: one's own are not mistaken for those beside the folder."""
    own = tmp_path / "KMNIST" / "raw"
    own.mkdir(parents=True)
    for folder, images in ((tmp_path, arrays[0]), (own, 255 - arrays[0])):
        (folder / "train-images-idx3-ubyte").write_bytes(idx(images))
        (folder / "train-labels-idx1-ubyte").write_bytes(idx(arrays[1]))
    assert KMNIST(tmp_path).images([0])[0, 0].tolist() == (255 - arrays[0][0]).tolist()
    assert MNIST(tmp_path).images([0])[0, 0].tolist() == arrays[0][0].tolist()


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_mnist_in_the_place_of_another(name, shared_data) -> None:
    with pytest.raises(ValueError, match=rf"t10k-labels.*MNIST's do, and not {name}'s"):
        SETS[name](shared_data / "mnist", split="test")


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST"])
def test_names_of_the_labels_are_torchvisions(name) -> None:
    assert SETS[name].label_names == tuple(getattr(datasets, name).classes)


@pytest.mark.parametrize("keep", [0, 3, 10, -1])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_truncated_file_is_named(keep, ending, arrays, tmp_path) -> None:
    content = gzip.compress(idx(arrays[0])) if ending else idx(arrays[0])
    file = tmp_path / f"train-images-idx3-ubyte{ending}"
    file.write_bytes(content[:keep])
    with pytest.raises(ValueError, match=f"{file.name} is damaged"):
        MNIST(tmp_path)


def test_unknown_split(tmp_path) -> None:
    with pytest.raises(ValueError, match="'test', 'train'"):
        MNIST(tmp_path, split="val")


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("images-idx3", lambda images, labels: images[:, :20], r"shape \(20, 28\), not \(28, 28\)"),
        ("images-idx3", lambda images, labels: labels, "the header is not that of"),
        ("labels-idx1", lambda images, labels: images, "the header is not that of"),
        ("labels-idx1", lambda images, labels: labels[:4], "4 labels of 5 images"),
    ],
)
def test_another_content_is_refused(kind, change, message, arrays, tmp_path) -> None:
    for name, array in zip(("images-idx3", "labels-idx1"), arrays, strict=True):
        (tmp_path / f"train-{name}-ubyte").write_bytes(idx(array))
    (tmp_path / f"train-{kind}-ubyte").write_bytes(idx(change(*arrays)))
    with pytest.raises(ValueError, match=f"train-{kind}-ubyte is damaged.*{message}"):
        MNIST(tmp_path)
