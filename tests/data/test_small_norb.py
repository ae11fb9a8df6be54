"""SmallNORB's binary matrices, on a smaller grid and out of order, as published."""

import gzip
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.data import SmallNORB

PREFIXES = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
INSTANCES = {"train": (4, 6), "test": (0, 5)}
MAGIC = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}


def matrix(array: np.ndarray) -> bytes:
    sizes = (*array.shape, 1, 1)[: max(3, array.ndim)]
    return struct.pack(f"<{2 + len(sizes)}i", MAGIC[str(array.dtype)], array.ndim, *sizes) + (
        array.tobytes()
    )


@pytest.fixture
def splits():
    """For each split: pairs of photographs, categories, and the four other numbers."""
    rng = np.random.default_rng(0)
    made = {}
    for split, instances in INSTANCES.items():
        axes = (range(2), instances, range(2), (0, 2, 4), range(2))
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 5)
        rng.shuffle(grid)
        pairs = rng.integers(256, size=(len(grid), 2, 96, 96), dtype=np.uint8)
        made[split] = (pairs, grid[:, 0].astype(np.int32), grid[:, 1:].astype(np.int32))
    return made


def write(folder, splits, ending="") -> None:
    folder.mkdir(exist_ok=True)
    for split, arrays in splits.items():
        for kind, array in zip(("dat", "cat", "info"), arrays, strict=True):
            content = matrix(np.ascontiguousarray(array))
            file = folder / f"{PREFIXES[split]}-{kind}.mat{ending}"
            file.write_bytes(gzip.compress(content) if ending else content)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("below", ["", "small_norb"])
@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_complete_grid_in_order(ending, below, split, splits, tmp_path) -> None:
    write(tmp_path / below, splits, ending)
    data = SmallNORB(tmp_path, split, size=96)
    wanted = ["train", "test"] if split == "all" else [split]
    assert data.instances == tuple(sorted(sum((INSTANCES[name] for name in wanted), ())))
    assert data.space.sizes == (2, 2 * len(wanted), 2, 3, 2)
    assert data.image_shape == (1, 96, 96)
    images, factors = data.images(range(len(data))), data.factors(range(len(data)))
    assert torch.equal(factors, data.space.factors(range(len(data))))
    places = {tuple(row): index for index, row in enumerate(factors.tolist())}
    for name in wanted:
        for pair, category, other in zip(*splits[name], strict=True):
            instance, elevation, azimuth, lighting = other.tolist()
            row = (category, data.instances.index(instance), elevation, azimuth // 2, lighting)
            assert np.array_equal(images[places[tuple(map(int, row))], 0], pair[0])


def test_resized_as_disentanglement_lib_does_it(splits, tmp_path) -> None:
    write(tmp_path, splits)
    small, large = SmallNORB(tmp_path, "train"), SmallNORB(tmp_path, "train", size=96)
    assert small.image_shape == (1, 64, 64)
    picture = Image.fromarray(large.images([5])[0, 0].numpy())
    expected = np.array(picture.resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(small.images([5])[0, 0], expected)


@pytest.mark.parametrize("kind", ["dat", "cat", "info"])
def test_missing_file_is_named(kind, splits, tmp_path) -> None:
    write(tmp_path, splits)
    (tmp_path / f"{PREFIXES['test']}-{kind}.mat").unlink()
    SmallNORB(tmp_path, "train")
    with pytest.raises(FileNotFoundError, match=rf"testing-{kind}\.mat.*cs\.nyu\.edu"):
        SmallNORB(tmp_path)


@pytest.mark.parametrize("keep", [0, 3, 10, 21, -1])
@pytest.mark.parametrize("kind", ["dat", "cat", "info"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_truncated_file_is_named(keep, kind, ending, splits, tmp_path) -> None:
    write(tmp_path, splits, ending)
    file = tmp_path / f"{PREFIXES['train']}-{kind}.mat{ending}"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=f"{file.name} is damaged"):
        SmallNORB(tmp_path, "train")


@pytest.mark.parametrize(
    ("position", "change", "message"),
    [
        (0, lambda a: a[:, :, :64, :64], "dat.mat is damaged"),
        (0, lambda a: a[:-1], "dat.mat is damaged"),
        (0, lambda a: a.astype(np.int32), "dat.mat is damaged"),
        (1, lambda a: a[:-1], "info.mat is damaged"),
        (1, lambda a: np.zeros_like(a), "all combinations"),
        (2, lambda a: a[:, :3], "info.mat is damaged"),
        (2, lambda a: a[::-1] // 2, "all combinations"),
    ],
)
def test_another_content_is_refused(position, change, message, splits, tmp_path) -> None:
    arrays = list(splits["train"])
    arrays[position] = change(arrays[position])
    write(tmp_path, {"train": arrays})
    with pytest.raises(ValueError, match=message):
        SmallNORB(tmp_path, "train")


def test_swapped_files_are_named(splits, tmp_path) -> None:
    write(tmp_path, splits)
    cat, info = (tmp_path / f"{PREFIXES['train']}-{kind}.mat" for kind in ("cat", "info"))
    content = cat.read_bytes()
    cat.write_bytes(info.read_bytes())
    info.write_bytes(content)
    with pytest.raises(ValueError, match=r"cat\.mat is damaged"):
        SmallNORB(tmp_path, "train")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"split": "val"}, "'train', 'test', 'all'"), ({"size": 28}, "64 or 96")],
)
def test_bad_arguments(arguments, message, tmp_path) -> None:
    with pytest.raises(ValueError, match=message):
        SmallNORB(tmp_path, **arguments)
