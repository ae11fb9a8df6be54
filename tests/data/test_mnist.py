import gzip
import struct

import numpy as np
import pytest
import torch

from disvae.data import MNIST


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (5, 28, 28), np.uint8), np.array([3, 1, 4, 1, 5], np.uint8)


@pytest.mark.parametrize("below", ["", "MNIST/raw"])
@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_reads_idx_files(below, ending, split, prefix, arrays, tmp_path) -> None:
    folder = tmp_path / below
    folder.mkdir(parents=True, exist_ok=True)
    pack = gzip.compress if ending else bytes
    for kind, array in zip(("images-idx3", "labels-idx1"), arrays, strict=True):
        (folder / f"{prefix}-{kind}-ubyte{ending}").write_bytes(pack(idx(array)))
    data = MNIST(tmp_path, split)
    assert data.image_shape == (1, 28, 28)
    assert torch.equal(data.images([2, 0]), torch.from_numpy(arrays[0])[[2, 0]][:, None])
    image, label = data[4]
    assert label == 5
    torch.testing.assert_close(image[0], torch.from_numpy(arrays[0][4]).float() / 255)


def test_the_real_test_set(shared_data) -> None:
    data = MNIST(shared_data / "mnist", split="test")
    assert len(data) == 10_000
    assert torch.bincount(data.labels(range(10_000))).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.*torchvision"):
        MNIST(tmp_path)


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
