"""A file of faces as its owner has it, on a smaller grid."""

import pickle

import numpy as np
import pytest
import torch

from disvae.data import Faces3D

SHAPE = (2, 3, 2, 2)


@pytest.fixture
def faces():
    return torch.randint(256, (*SHAPE, 64, 64), dtype=torch.uint8)


def save_old(content, file) -> None:
    torch.save(content, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("save", [torch.save, save_old, None])
@pytest.mark.parametrize("below", ["", "3dfaces"])
def test_complete_grid_in_order(save, below, faces, tmp_path) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    file = tmp_path / below / "basel_face_renders"
    if save is None:
        np.savez(file.with_suffix(".npz"), images=faces.numpy())
    else:
        save(faces, file.with_suffix(".pth"))
    data = Faces3D(tmp_path)
    assert data.space.names == ("identity", "azimuth", "elevation", "lighting")
    assert data.space.sizes == SHAPE
    assert data.image_shape == (1, 64, 64)
    for index in (0, 9, 23):
        assert torch.equal(data.images([index])[0, 0], faces[tuple(data.factors([index])[0])])


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"basel_face_renders\.pth.*licence"):
        Faces3D(tmp_path)


@pytest.mark.parametrize("save", [torch.save, save_old])
@pytest.mark.parametrize("keep", [0, 5, 52, 100, 180, 189, -1, -1000])
def test_truncated_file_is_named(save, keep, faces, tmp_path) -> None:
    file = tmp_path / "basel_face_renders.pth"
    save(faces, file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"basel_face_renders\.pth is damaged"):
        Faces3D(tmp_path)


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the file was unpickled",))


@pytest.mark.parametrize("save", [torch.save, save_old, None])
def test_nothing_but_a_tensor_is_unpickled(save, tmp_path) -> None:
    file = tmp_path / "basel_face_renders.pth"
    if save is None:
        file.write_bytes(pickle.dumps(Bomb(), protocol=2))
    else:
        save(Bomb(), file)
    with pytest.raises(ValueError, match="no tensor") as error:
        Faces3D(tmp_path)
    assert "weights_only" not in str(error.value)  # no advice to unpickle it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda faces: faces.float(), "float32"),
        (lambda faces: faces[..., :32], r"\(2, 3, 2, 2, 64, 32\)"),
        (lambda faces: faces.flatten(0, 3), r"\(24, 64, 64\)"),
        (lambda faces: {"images": faces}, "a dict"),
    ],
)
def test_another_content_is_refused(change, message, faces, tmp_path) -> None:
    torch.save(change(faces), tmp_path / "basel_face_renders.pth")
    with pytest.raises(ValueError, match=rf"basel_face_renders\.pth.*{message}"):
        Faces3D(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\3\4" + bytes(50)])
def test_what_is_no_such_file_is_refused(content, tmp_path) -> None:
    for ending in ("npz", "pth"):
        file = tmp_path / f"basel_face_renders.{ending}"
        file.write_bytes(content)
        with pytest.raises(ValueError, match=f"{file.name} is damaged"):
            Faces3D(tmp_path)
