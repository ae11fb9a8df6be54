import numpy as np
import pytest
import torch
from published import write_medmnist

from disvae.data import MedMNIST

COUNTS = {"chestmnist": 14, "bloodmnist": 1}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of the published layout, with few images, and an INFO table that says so."""
    import medmnist

    for name, shape in (("chestmnist", ()), ("bloodmnist", (3,))):
        info = {**medmnist.INFO[name], "n_samples": {"train": 4, "val": 3, "test": 2}}
        monkeypatch.setitem(medmnist.INFO, name, info)
        for size in (28, 64):
            write_medmnist(tmp_path, name, info["n_samples"], size, shape, COUNTS[name])
    return tmp_path


@pytest.mark.parametrize(("split", "n"), [("train", 4), ("val", 3), ("test", 2)])
@pytest.mark.parametrize("size", [28, 64])
def test_chest(folder, split, n, size) -> None:
    data = MedMNIST(root=folder, split=split, size=size)
    assert len(data) == n
    assert data.image_shape == (1, size, size)
    assert data.max_value == 255
    assert len(data.label_names) == 14
    assert data.label_names[:2] == ("atelectasis", "cardiomegaly")
    image, labels = data[0]
    assert image.shape == (1, size, size)
    assert labels.shape == (14,)
    with np.load(folder / f"chestmnist{'_64' * (size == 64)}.npz") as archive:
        assert data.labels(range(n)).tolist() == archive[f"{split}_labels"].tolist()


def test_colour_channels_come_first(folder) -> None:
    data = MedMNIST("bloodmnist", root=folder)
    with np.load(folder / "bloodmnist.npz") as archive:
        expected = archive["train_images"]
    assert data.image_shape == (3, 28, 28)
    assert torch.equal(data.images([1])[0, 2], torch.from_numpy(expected[1, :, :, 2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "organmnist3d"}, "holds volumes"),
        ({"name": "chestmnst"}, "no set of images.*chestmnist"),
        ({"split": "valid"}, "'train', 'val', 'test'"),
        ({"size": 32}, "28, 64, 128, 224"),
    ],
)
def test_bad_arguments(arguments, message, folder) -> None:
    with pytest.raises(ValueError, match=message):
        MedMNIST(root=folder, **arguments)


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"chestmnist_128\.npz: it comes from https"):
        MedMNIST(root=tmp_path, size=128)


def test_incomplete_file_is_named(folder) -> None:
    file = folder / "chestmnist.npz"
    with np.load(file) as archive:
        arrays = dict(archive)
    np.savez(file, **{**arrays, "train_images": arrays["train_images"][:-1]})
    with pytest.raises(ValueError, match=r"chestmnist\.npz is damaged.*\(3, 28, 28\)"):
        MedMNIST(root=folder)
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"chestmnist\.npz is damaged"):
        MedMNIST(root=folder)


@pytest.mark.parametrize(
    "change",
    [
        {"train_images": np.zeros((4, 28, 28, 3), np.uint8)},
        {"train_images": np.zeros((4, 28, 28), np.float32)},
        {"train_labels": np.zeros((3, 14), np.uint8)},
    ],
)
def test_another_content_is_refused(change, folder) -> None:
    file = folder / "chestmnist.npz"
    with np.load(file) as archive:
        arrays = dict(archive)
    np.savez(file, **{**arrays, **change})
    with pytest.raises(ValueError, match=r"chestmnist\.npz is damaged"):
        MedMNIST(root=folder)


def test_an_array_is_no_archive(folder) -> None:
    with (folder / "chestmnist.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(ValueError, match="not a zip file"):
        MedMNIST(root=folder)
