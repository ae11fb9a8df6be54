"""Reading MPI3D's npz files, on a smaller grid."""

import pickle

import numpy as np
import pytest
import torch

from disvae.data import MPI3D, FactorSpace, mpi3d

SPACE = FactorSpace(mpi3d.FACTORS, (2, 2, 1, 2, 1, 2, 2))
FILES = {
    "toy": "mpi3d_toy.npz",
    "realistic": "mpi3d_realistic.npz",
    "real": "mpi3d_real.npz",
    "complex": "real3d_complicated_shapes_ordered.npz",
}


@pytest.fixture
def images(monkeypatch):
    for variant, name in FILES.items():
        monkeypatch.setitem(mpi3d.VARIANTS, variant, (name, SPACE))
    return np.random.default_rng(0).integers(256, size=(len(SPACE), 64, 64, 3), dtype=np.uint8)


def test_published_grids() -> None:
    sizes = {variant: len(space) for variant, (_, space) in mpi3d.VARIANTS.items()}
    assert sizes == {
        "toy": 1_036_800,
        "realistic": 1_036_800,
        "real": 1_036_800,
        "complex": 460_800,
    }


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("variant", FILES)
@pytest.mark.parametrize("below", ["", "mpi3d"])
def test_reads_both_kinds_of_files(save, variant, below, images, tmp_path) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    save(tmp_path / below / FILES[variant], first=np.arange(3), images=images)
    data = MPI3D(variant, tmp_path)
    assert len(data) == len(SPACE)
    assert data.space == SPACE
    indices = torch.tensor([31, 0, 7, 7])
    expected = torch.from_numpy(images)[indices].permute(0, 3, 1, 2)
    assert torch.equal(data.images(indices), expected)
    assert data.images([]).shape == (0, 3, 64, 64)
    assert isinstance(data._images, np.memmap) == (save is np.savez)
    assert data[7][1].tolist() == SPACE.factors([7])[0].tolist()


def test_images_can_be_changed_and_the_file_not(images, tmp_path) -> None:
    np.savez(tmp_path / FILES["toy"], images=images)
    data = MPI3D("toy", tmp_path)
    data.images([0]).zero_()
    assert np.array_equal(MPI3D("toy", tmp_path).images([0])[0].permute(1, 2, 0), images[0])


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"mpi3d_real\.npz.*rr-learning"):
        MPI3D("real", tmp_path)


def test_unknown_variant(tmp_path) -> None:
    with pytest.raises(ValueError, match="'toy', 'realistic', 'real', 'complex'"):
        MPI3D("sim", tmp_path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("keep", [0, 100, -1, -1000])
def test_truncated_file_is_named(save, keep, images, tmp_path) -> None:
    file = tmp_path / FILES["toy"]
    save(file, images=images)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"mpi3d_toy\.npz is damaged"):
        MPI3D("toy", tmp_path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:-1], r"\(31, 64, 64, 3\)"),
        (lambda a: a.astype(np.float32), "float32"),
        (lambda a: a[:, :, :, :1], r"\(32, 64, 64, 1\)"),
    ],
)
def test_another_content_is_refused(save, change, message, images, tmp_path) -> None:
    save(tmp_path / FILES["toy"], images=change(images))
    with pytest.raises(ValueError, match=rf"mpi3d_toy\.npz.*{message}"):
        MPI3D("toy", tmp_path)


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the file was unpickled",))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_nothing_is_unpickled(save, images, tmp_path) -> None:
    save(tmp_path / FILES["toy"], images=np.array(Bomb(), dtype=object))
    with pytest.raises(ValueError, match="is damaged"):
        MPI3D("toy", tmp_path)
    (tmp_path / FILES["toy"]).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="not a zip file"):
        MPI3D("toy", tmp_path)


def test_missing_member_is_named(images, tmp_path) -> None:
    np.savez(tmp_path / FILES["toy"], pictures=images)
    with pytest.raises(ValueError, match=r"mpi3d_toy\.npz.*images"):
        MPI3D("toy", tmp_path)


def test_another_memory_order_is_refused(images, tmp_path) -> None:
    np.savez(tmp_path / FILES["toy"], images=np.asfortranarray(images))
    with pytest.raises(ValueError, match="in C order"):
        MPI3D("toy", tmp_path)
