"""Reading dSprites' files, in the published format, on a smaller grid."""

import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from published import DSPRITES as NAME
from published import write_dsprites_hdf5 as write_hdf5
from published import write_dsprites_npz

from disvae.data import DSprites, FactorSpace

SPACE = FactorSpace(("shape", "scale", "orientation", "position_x", "position_y"), (3, 2, 2, 2, 3))


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the metadata was unpickled",))


@pytest.fixture
def arrays():
    images = np.random.default_rng(0).integers(0, 2, (len(SPACE), 64, 64), dtype=np.uint8)
    factors = SPACE.factors(range(len(SPACE))).numpy()
    return {
        "imgs": images,
        "latents_classes": np.pad(factors, ((0, 0), (1, 0))),
        "latents_values": np.pad(factors, ((0, 0), (1, 0))) / 3.0,
    }


def write_npz(folder: Path, arrays: dict) -> Path:
    metadata = np.array(Bomb(), dtype=object)
    return write_dsprites_npz(folder, {"metadata": metadata, **arrays})


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
@pytest.mark.parametrize("below", ["", "dsprites"])
def test_reads_both_formats(write, below, arrays, tmp_path) -> None:
    (tmp_path / below).mkdir(exist_ok=True)
    write(tmp_path / below, arrays)
    data = DSprites(tmp_path)
    assert len(data) == len(SPACE)
    assert data.space == SPACE
    indices = torch.tensor([5, 0, 71])
    assert torch.equal(data.images(indices), torch.from_numpy(arrays["imgs"])[indices][:, None])
    assert torch.equal(data.factors(indices), SPACE.factors(indices))
    assert torch.equal(
        data.latent_values(indices), SPACE.factors(indices) / torch.tensor(3.0).double()
    )
    image, factors = data[7]
    assert image.dtype == torch.float32
    assert factors.tolist() == arrays["latents_classes"][7, 1:].tolist()


def test_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{NAME}.npz.*github.com/google-deepmind") as error:
        DSprites(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
@pytest.mark.parametrize("keep", [0, 100, -1000])
def test_truncated_file_is_named(write, keep, arrays, tmp_path) -> None:
    file = write(tmp_path, arrays)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=f"{file.name} is damaged"):
        DSprites(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("imgs", lambda a: 255 * a, "other values than 0 and 1"),
        ("imgs", lambda a: a.astype(np.float32), "float32"),
        ("imgs", lambda a: a[:, :32], r"\(72, 32, 64\)"),
        ("imgs", lambda a: a[:-1], "latent classes have shape"),
        ("latents_classes", lambda a: a[::-1].copy(), "complete grid"),
        ("latents_values", lambda a: a[:, 1:], "latent values have shape"),
        ("latents_classes", lambda a: np.minimum(a, 1), "complete grid"),
    ],
)
def test_another_content_is_refused(name, change, message, arrays, tmp_path) -> None:
    arrays[name] = change(arrays[name])
    file = write_npz(tmp_path, arrays)
    with pytest.raises(ValueError, match=message) as error:
        DSprites(tmp_path)
    assert file.name in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no archive", pickle.dumps(Bomb()), b"\x93NUMPY"])
def test_what_is_no_archive_is_refused(content, tmp_path) -> None:
    (tmp_path / f"{NAME}.npz").write_bytes(content)
    with pytest.raises(ValueError, match="not a zip file"):  # and no advice to unpickle it
        DSprites(tmp_path)


def test_missing_member_is_named(arrays, tmp_path) -> None:
    del arrays["latents_classes"]
    write_npz(tmp_path, arrays)
    with pytest.raises(ValueError, match="latents_classes"):
        DSprites(tmp_path)


def test_folder_from_the_environment(arrays, tmp_path, monkeypatch) -> None:
    write_npz(tmp_path, arrays)
    monkeypatch.setenv("DISVAE_DATA", str(tmp_path))
    assert len(DSprites()) == len(SPACE)


@pytest.mark.parametrize("write", [write_npz, write_hdf5])
def test_reading_needs_little_more_memory_than_the_images(write, tmp_path) -> None:
    space = FactorSpace(SPACE.names, (3, 4, 4, 8, 16))
    factors = np.pad(space.factors(range(len(space))).numpy(), ((0, 0), (1, 0)))
    images = np.zeros((len(space), 64, 64), dtype=np.uint8)
    images[:, ::7, ::5] = 1
    write(tmp_path, {"imgs": images, "latents_classes": factors, "latents_values": factors / 3.0})
    kept = images.nbytes + factors.nbytes
    del images
    tracemalloc.start()
    try:
        data = DSprites(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data) == len(space)
    assert peak < 1.2 * kept
