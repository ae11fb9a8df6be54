"""Any folder of pictures."""

from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from disvae.data.dataset import ImageDataset, Images
from disvae.data.factors import as_indices
from disvae.data.pictures import Pictures

ENDINGS = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


class ImageFolder(ImageDataset):
    """The pictures of a folder and of those below it, sorted by their path.

    Each is decoded when it is asked for: cut to a centred square, and resized. Where pictures lie
    in subfolders, the subfolder of a picture is its label, numbered in the order of their names.

    Args:
        root: the folder.
        size: side of the images.
        channels: 3 for RGB, 1 for grey.
        crop: side of the centred square that is cut out first; the largest if None.
        background: what shows where a picture is transparent, a grey from 0, black, to 255, white.

    Attributes:
        label_names: the names of the subfolders, if the pictures lie in any.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no pictures in it, pictures both beside subfolders and in them, a bad size,
            crop, number of channels or background; and, when images are asked for, a picture that
            :func:`disvae.data.pictures.decode` does not take.

    Example:
        >>> from PIL import Image
        >>> Path("pets/cat").mkdir(parents=True)
        >>> Image.new("RGB", (80, 60)).save("pets/cat/tom.png")
        >>> pets = ImageFolder("pets", size=32)
        >>> pets.images([0]).shape, pets.label_names
        (torch.Size([1, 3, 32, 32]), ('cat',))
    """

    max_value = 255
    label_names: tuple[str, ...]

    def __init__(
        self,
        root: str | Path,
        size: int = 64,
        channels: int = 3,
        crop: int | None = None,
        background: int = 0,
    ) -> None:
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if _is_picture(path))
        names = [str(path) for path in paths]
        self._pictures = Pictures(folder, names, size, channels, crop, background)
        self.image_shape = self._pictures.image_shape
        owners = [path.parts[0] for path in paths if len(path.parts) > 1]
        if owners and len(owners) < len(paths):
            raise ValueError(f"{folder} has pictures both beside subfolders and in them: no labels")
        self.label_names = tuple(sorted(set(owners)))
        numbers = {name: number for number, name in enumerate(self.label_names)}
        self._labels = torch.tensor([numbers[name] for name in owners], dtype=torch.int64)

    def __len__(self) -> int:
        return len(self._pictures.names)

    def images(self, indices: object) -> Images:
        """Decode the images of some indices."""
        return self._pictures.read(as_indices(indices, len(self)))

    def labels(self, indices: object) -> Int[Tensor, " n"]:
        """The labels of some indices.

        Raises:
            ValueError: the pictures lie in no subfolders.
        """
        if not self.label_names:
            raise ValueError("this data set has no labels")
        return self._labels[as_indices(indices, len(self))]

    def targets(self, index: int) -> Tensor:
        """The label of one image, or nothing."""
        return self._labels[index] if self.label_names else super().targets(index)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
