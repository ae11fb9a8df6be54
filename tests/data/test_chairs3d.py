"""The folder of renderings, with two chairs from four sides."""

import pytest
import torch
from published import write_chairs3d

from disvae.data import Chairs3D

CHAIRS = ("0a1b", "ff00")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "published"
    write_chairs3d(folder, CHAIRS)
    return folder


@pytest.mark.parametrize("below", ["", "chairs"])
def test_complete_grid_in_order(below, folder) -> None:
    if below:
        folder = folder.rename(folder.parent / below).parent
    data = Chairs3D(folder)
    assert data.space.names == ("chair", "elevation", "azimuth")
    assert data.space.sizes == (2, 2, 2)
    assert data.image_shape == (3, 64, 64)
    middle = data.images(range(8))[:, :, 32, 32]
    factors = data.factors(range(8))
    assert torch.equal(middle[:, 0], (40 * factors[:, 0]).byte())
    assert torch.equal(middle[:, 1], (5 * (2 * factors[:, 1] + factors[:, 2])).byte())
    assert data.images([3])[0, 0, 0, 0] == 255
    assert data[5][1].tolist() == [1, 0, 1]


def test_crop_size_and_grey(folder) -> None:
    data = Chairs3D(folder, size=32, channels=1, crop=400)
    assert data.images([7, 0]).shape == (2, 1, 32, 32)
    assert data.images([0]).max() == 0  # the white margin is cut off


def test_missing_folder_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"rendered_chairs/.*unpack https.*di\.ens\.fr"):
        Chairs3D(tmp_path)


def test_missing_view_is_named(folder) -> None:
    next((folder / "rendered_chairs" / "ff00" / "renders").glob("image_002*")).unlink()
    with pytest.raises(ValueError, match=r"ff00 has 3 of 4 views"):
        Chairs3D(folder)


def test_other_names_are_refused(folder) -> None:
    (folder / "rendered_chairs" / "ff00" / "renders" / "chair.png").touch()
    with pytest.raises(ValueError, match=r"chair\.png is not named"):
        Chairs3D(folder)


@pytest.mark.parametrize("keep", [0, 100, -30])
def test_truncated_picture_is_named(keep, folder) -> None:
    file = next((folder / "rendered_chairs" / "0a1b" / "renders").glob("image_000*"))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{file.name} is damaged"):
        Chairs3D(folder).images([0])
