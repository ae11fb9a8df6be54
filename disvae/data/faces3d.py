"""3D Faces, from a licence holder's own renderings."""

from pathlib import Path

import torch
from torch import Tensor

from disvae.data.array import FactorArray
from disvae.data.factors import FactorSpace
from disvae.data.files import data_root, find_file, read_npz, reading

NAME = "basel_face_renders"
WHERE = (
    "the Basel Face Model's licence forbids its distribution; see "
    "https://github.com/rtqichen/beta-tcvae and https://faces.dmi.unibas.ch/bfm/"
)


class Faces3D(FactorArray):
    """3D Faces: 127,050 grey images 64×64 of 50 faces in all combinations of three factors.

    The factors are identity (50 values), azimuth (21), elevation (11) and lighting (11), the last
    one fastest. The file is PyTorch's, ``basel_face_renders.pth`` as of the authors of β-TCVAE,
    with one tensor of bytes of that shape followed by 64×64, or ``basel_face_renders.npz`` with
    such an array ``images``. Nothing but a tensor is unpickled.

    Args:
        root: folder that holds the file, itself or in ``3dfaces/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.

    Raises:
        FileNotFoundError: neither file is there; the message says whom to ask.
        ValueError: the file is damaged, or holds something else.

    Reference:
        A 3D Face Model for Pose and Illumination Invariant Face Recognition, Paysan et al. 2009
        (licensed to each user, not to be distributed); these renderings: Isolating Sources of
        Disentanglement in Variational Autoencoders, Chen et al. 2018
    """

    def __init__(self, root: str | Path | None = None) -> None:
        folders = (data_root(root), data_root(root) / "3dfaces")
        names = [folder / f"{NAME}.{ending}" for folder in folders for ending in ("pth", "npz")]
        file = find_file(names, WHERE)
        with reading(file):
            images = _read_tensor(file) if file.suffix == ".pth" else _read_npz(file)
            if images.dtype != torch.uint8 or images.dim() != 6 or images.shape[4:] != (64, 64):
                raise ValueError(
                    f"it holds {images.dtype} of shape {tuple(images.shape)}, not "
                    "(identities, azimuths, elevations, lightings, 64, 64) bytes"
                )
        space = FactorSpace(
            ("identity", "azimuth", "elevation", "lighting"), tuple(images.shape[:4])
        )
        factors = space.factors(range(len(space)))
        super().__init__(images.reshape(-1, 64, 64), factors, space.names, max_value=255)


def _read_npz(file: Path) -> Tensor:
    return torch.from_numpy(read_npz(file, "images")[0])


def _read_tensor(file: Path) -> Tensor:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # PyTorch's are of many kinds, and its message advises to unpickle whatever the file holds.
        raise ValueError("it is no tensor, or not only a tensor") from error
    if not isinstance(content, Tensor):
        raise ValueError(f"it holds a {type(content).__name__}, not a tensor")
    return content
