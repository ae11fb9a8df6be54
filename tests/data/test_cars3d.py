"""Cars3D's MATLAB files, with three cars from two elevations and four azimuths."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from disvae.data import Cars3D

NAMES = ("car_001_mesh.mat", "car_003_mesh.mat", "car_199_mesh.mat")


@pytest.fixture
def cars():
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(len(NAMES), 128, 128, 3, 4, 2), dtype=np.uint8)


@pytest.fixture
def folder(cars, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    for name, car in zip(NAMES, cars, strict=True):
        mask = np.zeros((128, 128, 4, 2), np.uint8)
        savemat(folder / name, {"im": car, "mask": mask}, do_compression=True)
    (folder / "list.txt").write_text("".join(f"{name[:-4]}\n" for name in NAMES))
    return folder


@pytest.mark.parametrize("below", ["", "cars", "data/cars"])
def test_published_size_in_the_fields_order(below, cars, folder) -> None:
    root = folder
    if below:
        root = folder.parent
        (root / below).parent.mkdir(exist_ok=True)
        folder.rename(root / below)
    data = Cars3D(root, size=128)
    assert data.space.names == ("elevation", "azimuth", "type")
    assert data.space.sizes == (2, 4, 3)
    assert data.image_shape == (3, 128, 128)
    factors = data.factors([0, 23, 10])
    for image, (elevation, azimuth, kind) in zip(
        data.images([0, 23, 10]), factors.tolist(), strict=True
    ):
        assert np.array_equal(image.permute(1, 2, 0), cars[kind, :, :, :, azimuth, elevation])
    assert data[10][1].tolist() == factors[2].tolist()


def test_resized_as_disentanglement_lib_does_it(cars, folder) -> None:
    data = Cars3D(folder)
    assert data.image_shape == (3, 64, 64)
    elevation, azimuth, kind = data.factors([17])[0].tolist()
    picture = Image.fromarray(np.ascontiguousarray(cars[kind, :, :, :, azimuth, elevation]))
    picture.thumbnail((64, 64), Image.Resampling.LANCZOS)
    assert np.array_equal(data.images([17])[0].permute(1, 2, 0), np.array(picture))


def test_missing_files_are_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"car_\*_mesh\.mat.*nips2015-analogy-data"):
        Cars3D(tmp_path)


@pytest.mark.parametrize("keep", [0, 50, 130, 1000, 200_000])
def test_truncated_file_is_named(keep, folder) -> None:
    file = folder / NAMES[1]
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"car_003_mesh\.mat is damaged"):
        Cars3D(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"im": np.zeros((64, 64, 3, 4, 2), np.uint8)}, r"\(64, 64, 3, 4, 2\)"),
        ({"im": np.zeros((128, 128, 3, 4, 2))}, "float64"),
        ({"im": np.zeros((128, 128, 3, 5, 2), np.uint8)}, r"it has \(2, 5\) views"),
        ({"mask": np.zeros((128, 128, 4, 2), np.uint8)}, "im"),
    ],
)
def test_another_content_is_refused(content, message, folder) -> None:
    savemat(folder / NAMES[2], content)
    with pytest.raises(ValueError, match=f"car_199_mesh.mat.*{message}"):
        Cars3D(folder)


@pytest.mark.parametrize("content", [b"x" * 1000, b"MATLAB 7.3 MAT-file" + bytes(105) + b"\0\2IM"])
def test_what_is_no_such_file_is_refused(content, folder) -> None:
    (folder / NAMES[0]).write_bytes(content)
    with pytest.raises(ValueError, match=r"car_001_mesh\.mat is damaged"):
        Cars3D(folder)


def test_unknown_size(tmp_path) -> None:
    with pytest.raises(ValueError, match="64 or 128"):
        Cars3D(tmp_path, size=32)
