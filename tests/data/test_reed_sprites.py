"""The sprites' MATLAB files, as published (HDF5 inside), with three characters."""

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from disvae.data import ReedSprites

FRAMES = [2] * 4 + [1] * 12 + [3] * 4 + [2]  # of 5 animations from 4 sides, and one more


@pytest.fixture
def characters():
    """For each character: the frames (n, height, width, 3) of each animation, and its labels."""
    rng = np.random.default_rng(0)
    return [
        ([rng.integers(256, size=(n, 60, 60, 3)) for n in FRAMES], rng.integers(4, size=7))
        for _ in range(3)
    ]


def write(file, animations, labels, dtype=np.float64) -> None:
    """As MATLAB writes a cell of matrices, one column per image, column after column."""
    with h5py.File(file, "w") as archive:
        cell = archive.create_dataset("sprites", (len(animations), 1), dtype=h5py.ref_dtype)
        for number, frames in enumerate(animations):
            columns = [frame.flatten(order="F") / 255 for frame in frames]
            archive[f"#refs#/{number}"] = np.stack(columns).astype(dtype)
            cell[number, 0] = archive[f"#refs#/{number}"].ref
        archive["labels"] = labels[:, None].astype(float)


@pytest.fixture
def folder(characters, tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    for number, (animations, labels) in enumerate(characters):
        write(folder / f"sprites_{number}.mat", animations, labels)
    splits = {"trainidx": [[3, 1]], "validx": [[2]], "testidx": [[2, 3]]}
    savemat(folder / "sprites_splits.mat", splits)
    return folder


@pytest.mark.parametrize("below", ["", "sprites", "data/sprites"])
@pytest.mark.parametrize(
    ("split", "chosen"), [("all", [0, 1, 2]), ("train", [2, 0]), ("val", [1]), ("test", [1, 2])]
)
def test_images_and_factors(below, split, chosen, characters, folder) -> None:
    root = folder
    if below:
        root = folder.parent
        (root / below).parent.mkdir(exist_ok=True)
        folder.rename(root / below)
    data = ReedSprites(root, split)
    assert data.image_shape == (3, 60, 60)
    assert data.space.names == ("character", "action", "view", "frame")
    assert data.space.sizes == (len(chosen), 5, 4, 3)
    assert len(data) == len(chosen) * sum(FRAMES[:20])
    indices = [len(data) - 1, 0, 5, 17]
    for image, factors, attributes in zip(
        data.images(indices), data.factors(indices).tolist(), data.attributes(indices), strict=True
    ):
        animations, labels = characters[chosen[factors[0]]]
        frame = animations[4 * factors[1] + factors[2]][factors[3]]
        assert np.array_equal(image.permute(1, 2, 0), frame)
        assert attributes.tolist() == labels.tolist()
    assert len(data.attribute_names) == 7


def test_ten_follows_nine(characters, folder) -> None:
    for number in range(3, 11):
        write(folder / f"sprites_{number}.mat", *characters[number % 3])
    data = ReedSprites(folder)
    last = [index for index in range(len(data)) if data.factors([index])[0, 0] == 10]
    assert data.attributes(last[:1])[0].tolist() == characters[1][1].tolist()


def test_missing_files_are_named(folder, tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"sprites_.*nips2015-analogy-data"):
        ReedSprites(tmp_path / "nowhere")
    (folder / "sprites_1.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"sprites_1\.mat"):
        ReedSprites(folder, "val")
    (folder / "sprites_splits.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"sprites_splits\.mat"):
        ReedSprites(folder, "train")


@pytest.mark.parametrize("keep", [0, 60, 1000, -1000])
def test_truncated_file_is_named(keep, folder) -> None:
    file = folder / "sprites_1.mat"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"sprites_1\.mat is damaged"):
        ReedSprites(folder)


@pytest.mark.parametrize("keep", [0, 50, 140, -10])
def test_truncated_splits_are_named(keep, folder) -> None:
    file = folder / "sprites_splits.mat"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"sprites_splits\.mat is damaged"):
        ReedSprites(folder, "test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b: (a[:19], b), "19 animations"),
        (lambda a, b: (a, b[:6]), "6 labels"),
        (lambda a, b: ([x[:, :, :59] for x in a], b), r"\(2, 10620\)"),
        (lambda a, b: ([255 * x for x in a], b), "not from 0 to 1"),
    ],
)
def test_another_content_is_refused(change, message, characters, folder) -> None:
    write(folder / "sprites_2.mat", *change(*characters[2]))
    with pytest.raises(ValueError, match=rf"sprites_2\.mat.*{message}"):
        ReedSprites(folder)


def test_bytes_are_refused(characters, folder) -> None:
    write(folder / "sprites_2.mat", *characters[2], dtype=np.uint8)
    with pytest.raises(ValueError, match=r"sprites_2\.mat.*uint8"):
        ReedSprites(folder)


def test_unknown_split(folder) -> None:
    with pytest.raises(ValueError, match="'train', 'val', 'test', 'all'"):
        ReedSprites(folder, "valid")
