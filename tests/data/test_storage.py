"""Images kept as bytes or bits are the images of the data set, from memory and from a file."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from disvae.data import (
    BatchSource,
    FactorArray,
    FactorDataset,
    ImageArray,
    ImageDataset,
    Slice,
    Sprites,
    Stored,
    StoredFactors,
    pixels,
    storage,
    store,
)
from disvae.spec import build, describe


def grey(n=50, shape=(3, 5, 7)):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (n, *shape), generator=generator).to(torch.uint8)
    return ImageArray(images, labels=torch.arange(n))


def binary(n=50, shape=(1, 5, 7)):
    """Images whose 35 pixels do not fill whole bytes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(2, (n, *shape), generator=generator).to(torch.uint8)
    return FactorArray(images, torch.arange(n)[:, None], ("one",))


def sprites():
    return Slice(Sprites(), {"shape": 1, "scale": 3, "orientation": 7})


@pytest.mark.parametrize("make", [grey, binary, sprites])
@pytest.mark.parametrize("name", [None, "images.npy"])
def test_images_are_those_of_the_data_set(make, name, tmp_path) -> None:
    data = make()
    kept = store(data, tmp_path / name if name else None, progress=False)
    assert (len(kept), kept.image_shape, kept.max_value) == (
        len(data),
        data.image_shape,
        data.max_value,
    )
    indices = torch.randint(len(data), (40,))
    assert torch.equal(kept.images(indices), data.images(indices))
    assert torch.equal(kept.images([3, 3, 0]), data.images([3, 3, 0]))
    assert torch.equal(kept[4][0], data[4][0])
    assert torch.equal(kept[4][1], data[4][1])
    if isinstance(data, FactorDataset):
        assert isinstance(kept, StoredFactors)
        assert kept.space == data.space
        assert torch.equal(kept.factors(indices), data.factors(indices))


def test_binary_images_take_a_bit_a_pixel() -> None:
    assert store(sprites(), progress=False).pixels.rows.shape == (1024, 512)
    assert store(binary(), progress=False).pixels.rows.shape == (50, 5)
    assert store(grey(), progress=False).pixels.rows.shape == (50, 105)


def test_unpacking_on_another_device_gives_the_same() -> None:
    # What other devices than the CPU do, by plain PyTorch.
    rows = torch.randint(256, (4, 5)).to(torch.uint8)
    shifts = torch.arange(7, -1, -1, dtype=torch.uint8)
    expected = ((rows[:, :, None] >> shifts) & 1).flatten(1)[:, :35]
    assert torch.equal(pixels._unpack(rows, 35), expected)


def test_file_is_opened_again_without_the_images(tmp_path, monkeypatch) -> None:
    file = tmp_path / "folder" / "images.npy"
    first = store(grey(), file, progress=False)
    monkeypatch.setattr(storage, "_write", None)  # nothing may be written again
    again = store(grey(), file, progress=False)
    assert torch.equal(again.pixels.rows, first.pixels.rows)
    again.pixels.rows[0] = 0  # changes this process's copy alone
    assert torch.equal(store(grey(), file).pixels.rows, first.pixels.rows)
    assert [path.name for path in file.parent.iterdir()] == ["images.npy"]


def test_other_images_are_refused(tmp_path) -> None:
    file = tmp_path / "images.npy"
    store(grey(), file, progress=False)
    other = ImageArray(255 - grey().images(range(50)), max_value=255)
    for data in (other, grey(49), binary()):
        with pytest.raises(ValueError, match=r"images\.npy holds other images"):
            store(data, file, progress=False)


@pytest.mark.parametrize("content", [b"", b"no array at all"])
def test_damaged_file_is_named(tmp_path, content) -> None:
    file = tmp_path / "images.npy"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"images\.npy is damaged"):
        store(grey(), file, progress=False)


def test_truncated_file_is_named(tmp_path) -> None:
    file = tmp_path / "images.npy"
    store(grey(), file, progress=False)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"images\.npy is damaged"):
        store(grey(), file, progress=False)


def test_file_is_complete_or_absent_after_a_kill(tmp_path) -> None:
    file = tmp_path / "images.npy"
    code = f"""
import os, signal
from disvae.data import Sprites, storage, store
rows = storage._rows
def killed(data, indices):
    if int(indices[0]) > 10_000:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows(data, indices)
storage._rows = killed
store(Sprites(), {str(file)!r}, progress=False)
"""
    process = subprocess.run([sys.executable, "-c", code], check=False)
    assert process.returncode == -signal.SIGKILL
    assert not file.exists()


def test_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch) -> None:
    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            if len(content) > 1000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(content)

    opened = os.fdopen
    monkeypatch.setattr("disvae.files.os.fdopen", lambda *a: Full(opened(*a)))
    with pytest.raises(OSError, match=r"cannot write .*images.npy \(No space left"):
        store(grey(), tmp_path / "images.npy", progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [grey, sprites])
def test_batches_are_the_same_as_without(make) -> None:
    data = make()
    plain, kept = (
        BatchSource(data, 16, seed=3),
        BatchSource(store(data, progress=False), 16, seed=3),
    )
    for step in (0, 1, 17):
        assert torch.equal(plain.batch(step), kept.batch(step))
        assert plain.batch(step).dtype == torch.float32


def test_description_builds_the_same(tmp_path) -> None:
    kept = store(sprites(), tmp_path / "images.npy", progress=False)
    copy = build(describe(kept), ImageDataset)
    assert isinstance(copy, Stored)
    assert torch.equal(copy.pixels.rows, kept.pixels.rows)


def test_rows_are_numpys_bits() -> None:
    images = binary().images(range(50)).flatten(1).numpy()
    rows = store(binary(), progress=False).pixels.rows.numpy()
    assert np.array_equal(np.unpackbits(rows, axis=1)[:, :35], images)
