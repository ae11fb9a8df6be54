"""Small files in the formats in which the data sets are published."""

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from PIL import Image

DSPRITES = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64"
CHAIR_VIEWS = [(0, 20, 0), (1, 20, 11), (2, 30, 0), (3, 30, 11)]


def idx(array: np.ndarray) -> bytes:
    """An IDX file, as MNIST's are."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_mnist(
    folder: Path, images: np.ndarray, labels: np.ndarray, prefix: str = "train"
) -> None:
    """The two files for training of MNIST, or of a set made to replace it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx(images))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))


def write_dsprites_npz(folder: Path, arrays: dict[str, Any]) -> Path:
    """DSprites' file; ``metadata`` among the arrays would be pickled."""
    np.savez_compressed(folder / f"{DSPRITES}.npz", **arrays)
    return folder / f"{DSPRITES}.npz"


def write_dsprites_hdf5(folder: Path, arrays: dict[str, Any]) -> Path:
    """DSprites' other file."""
    with h5py.File(folder / f"{DSPRITES}.hdf5", "w") as file:
        file["imgs"] = arrays["imgs"]
        file["latents/classes"] = arrays["latents_classes"]
        file["latents/values"] = arrays["latents_values"]
    return folder / f"{DSPRITES}.hdf5"


def write_shapes3d(folder: Path, arrays: dict[str, np.ndarray], **options: Any) -> Path:
    """3D Shapes' file, of ``images`` and ``labels``."""
    with h5py.File(folder / "3dshapes.h5", "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **options)
    return folder / "3dshapes.h5"


def write_celeba(
    folder: Path, names: list[str], attributes: tuple[str, ...], signs: np.ndarray, parts: list[int]
) -> None:
    """CelebA's pictures, of noise, and its two lists."""
    rng = np.random.default_rng(0)
    (folder / "img_align_celeba").mkdir(parents=True)
    for name in names:
        face = rng.integers(256, size=(218, 178, 3), dtype=np.uint8)
        Image.fromarray(face).save(folder / "img_align_celeba" / name)
    rows = (f"{n} {' '.join(f'{s:2d}' for s in row)}" for n, row in zip(names, signs, strict=True))
    table = "\n".join([str(len(names)), " ".join(attributes), *rows])
    (folder / "list_attr_celeba.txt").write_text(table + "\n")
    partition = "".join(f"{name} {part}\n" for name, part in zip(names, parts, strict=True))
    (folder / "list_eval_partition.txt").write_text(partition)


def write_chairs3d(folder: Path, chairs: tuple[str, ...]) -> None:
    """The folder of renderings, each chair from four sides, its colour telling which is which."""
    for chair, name in enumerate(chairs):
        renders = folder / "rendered_chairs" / name / "renders"
        renders.mkdir(parents=True)
        for number, elevation, azimuth in CHAIR_VIEWS:
            picture = np.full((600, 600, 3), 255, np.uint8)
            picture[100:500, 100:500] = (40 * chair, 5 * number, 0)
            file = renders / f"image_{number:03d}_p{elevation:03d}_t{azimuth:03d}_r096.png"
            Image.fromarray(picture).save(file)


def write_faces3d(folder: Path, faces: torch.Tensor) -> None:
    """The file of a licence holder's renderings."""
    torch.save(faces, folder / "basel_face_renders.pth")


def write_medmnist(
    folder: Path,
    name: str,
    counts: dict[str, int],
    size: int,
    channels: tuple[int, ...],
    labels: int,
) -> Path:
    """The file of a set of MedMNIST, of noise."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, n in counts.items():
        arrays[f"{split}_images"] = rng.integers(0, 256, (n, size, size, *channels), np.uint8)
        arrays[f"{split}_labels"] = rng.integers(0, 2, (n, labels), np.uint8)
    suffix = "" if size == 28 else f"_{size}"
    np.savez(folder / f"{name}{suffix}.npz", **arrays)
