"""3D Chairs, from its folder of renderings."""

import re
from pathlib import Path

from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import FactorSpace, as_indices
from disvae.data.files import data_root
from disvae.data.pictures import Pictures, find_folder

FOLDER = "rendered_chairs"
VIEW = re.compile(r"image_\d+_p(\d+)_t(\d+)_r\d+\.png")
WHERE = "unpack https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar there"


class Chairs3D(FactorDataset):
    """3D Chairs: 86,366 RGB renderings of 1,393 chairs, each from 62 sides.

    Every chair is seen from 2 elevations (20° and 30°) and 31 azimuths: the factors are chair,
    elevation, azimuth, the last one fastest. The chairs have the order of their folders' names.
    The published pictures are 600×600. By default all of a picture is resized to 64×64, as in the
    public implementations; a crop cuts off some of its white margin. Each is decoded when it is
    asked for.

    Args:
        root: folder that holds ``rendered_chairs/``, itself or in ``chairs/``; $DISVAE_DATA or
            ``~/.disvae/data`` if None.
        size: side of the images.
        channels: 3 for RGB, 1 for grey.
        crop: side of the centred square that is cut out first; all of the picture if None.

    Raises:
        FileNotFoundError: the folder is missing; the message says where to get it.
        ValueError: a chair lacks a side; a bad size, crop or number of channels; and, when images
            are asked for, a damaged picture.

    Reference:
        Seeing 3D chairs: exemplar part-based 2D-3D alignment using a large dataset of CAD models,
        Aubry et al. 2014, https://www.di.ens.fr/willow/research/seeing3Dchairs
    """

    max_value = 255

    def __init__(
        self,
        root: str | Path | None = None,
        size: int = 64,
        channels: int = 3,
        crop: int | None = None,
    ) -> None:
        base = data_root(root)
        candidates = [base / FOLDER, base / "chairs" / FOLDER]
        folder = find_folder(candidates, "*/renders/*.png", WHERE)
        names, self.space = _list_views(folder)
        self._pictures = Pictures(folder, names, size, channels, crop)
        self.image_shape = self._pictures.image_shape

    def __len__(self) -> int:
        return len(self._pictures.names)

    def images(self, indices: object) -> Images:
        """Decode the images of some indices."""
        return self._pictures.read(as_indices(indices, len(self)))

    def factors(self, indices: object) -> Int[Tensor, "n 3"]:
        """The factors of some indices."""
        return self.space.factors(indices)


def _list_views(folder: Path) -> tuple[list[str], FactorSpace]:
    """The pictures in the order of the factors, of which they must be the complete grid."""
    chairs: dict[str, dict[tuple[int, int], str]] = {}
    for path in sorted(folder.glob("*/renders/*.png")):
        view = VIEW.fullmatch(path.name)
        if view is None:
            raise ValueError(f"{path} is not named after its elevation and azimuth, as others are")
        sides = chairs.setdefault(path.parts[-3], {})
        sides[int(view[1]), int(view[2])] = str(path.relative_to(folder))
    elevations, azimuths = (
        sorted({side[axis] for sides in chairs.values() for side in sides}) for axis in (0, 1)
    )
    grid = [(elevation, azimuth) for elevation in elevations for azimuth in azimuths]
    for chair, sides in chairs.items():
        if len(sides) < len(grid):
            raise ValueError(
                f"{folder / chair} has {len(sides)} of {len(grid)} views: unpack it again"
            )
    names = [sides[side] for sides in chairs.values() for side in grid]
    sizes = (len(chairs), len(elevations), len(azimuths))
    return names, FactorSpace(("chair", "elevation", "azimuth"), sizes)
