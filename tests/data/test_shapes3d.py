"""Reading 3D Shapes' file, in the published format, on a smaller grid."""

import pickle

import numpy as np
import pytest
import torch
from published import write_shapes3d as write

from disvae.data import FactorSpace, Shapes3D

NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
SPACE = FactorSpace(NAMES, (2, 3, 2, 2, 2, 3))
STEPS = torch.tensor([0.1, 0.1, 0.1, 0.07, 1.0, 4.2857], dtype=torch.float64)


@pytest.fixture
def arrays():
    images = np.random.default_rng(0).integers(256, size=(len(SPACE), 64, 64, 3), dtype=np.uint8)
    labels = SPACE.factors(range(len(SPACE))) * STEPS - 30 * (torch.arange(6) == 5)
    return {"images": images, "labels": labels.numpy()}


@pytest.mark.parametrize("options", [{}, {"chunks": True, "compression": "gzip"}])
@pytest.mark.parametrize("below", ["", "3dshapes"])
def test_reads_what_is_asked_for(options, below, arrays, tmp_path) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    write(tmp_path / below, arrays, **options)
    data = Shapes3D(tmp_path)
    assert data.space == SPACE
    assert len(data) == len(SPACE)
    for indices in ([5, 0, 143, 5], range(144), [7], torch.randperm(144), []):
        rows = np.asarray(indices, dtype=int)
        expected = torch.from_numpy(arrays["images"][rows]).permute(0, 3, 1, 2)
        assert torch.equal(data.images(indices), expected)
    assert data.latent_values([143]).tolist() == arrays["labels"][[143]].tolist()
    image, factors = data[100]
    assert image.shape == (3, 64, 64)
    assert factors.tolist() == SPACE.factors([100])[0].tolist()


def test_travels_to_other_processes(arrays, tmp_path) -> None:
    write(tmp_path, arrays)
    data = Shapes3D(tmp_path)
    assert torch.equal(pickle.loads(pickle.dumps(data)).images([3]), data.images([3]))


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"3dshapes\.h5.*storage\.googleapis\.com") as error:
        Shapes3D(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("keep", [0, 100, -1000])
def test_truncated_file_is_named(keep, arrays, tmp_path) -> None:
    file = write(tmp_path, arrays)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"3dshapes\.h5 is damaged"):
        Shapes3D(tmp_path)


def test_damage_that_shows_later_is_named(arrays, tmp_path) -> None:
    file = write(tmp_path, arrays)
    data = Shapes3D(tmp_path)
    file.write_bytes(b"another file")
    with pytest.raises(ValueError, match=r"3dshapes\.h5 is damaged"):
        data.images([0])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("images", lambda a: a[:, :32], r"\(144, 32, 64, 3\)"),
        ("images", lambda a: a.astype(np.float32), "float32"),
        ("images", lambda a: a[:-1], r"not \(143, 6\)"),
        ("labels", lambda a: a[::-1].copy(), "complete grid"),
        ("labels", lambda a: a[:, ::-1].copy(), "complete grid"),
        ("labels", lambda a: a[:, 1:], r"\(144, 5\)"),
        ("labels", lambda a: np.maximum(a, 0), "complete grid"),
    ],
)
def test_another_content_is_refused(name, change, message, arrays, tmp_path) -> None:
    write(tmp_path, {**arrays, name: change(arrays[name])})
    with pytest.raises(ValueError, match=rf"3dshapes\.h5.*{message}"):
        Shapes3D(tmp_path)


def test_missing_member_is_named(arrays, tmp_path) -> None:
    write(tmp_path, {"images": arrays["images"]})
    with pytest.raises(ValueError, match="labels"):
        Shapes3D(tmp_path)
