"""dSprites' variants of Locatello et al.: in colour, on noise, and on The Scream."""

from abc import abstractmethod
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import as_indices
from disvae.data.files import data_root, find_file, reading

WHERE = "such as https://upload.wikimedia.org/wikipedia/commons/f/f4/The_Scream.jpg"


class _Variant(FactorDataset):
    """A binary data set in RGB: what is added to an image is a function of the seed and the index.

    Where the originals draw anew each time that an image is asked for, this draws once for all.
    """

    max_value = 255

    def __init__(self, dataset: FactorDataset, seed: int = 0) -> None:
        channels, height, width = dataset.image_shape
        if channels != 1 or dataset.max_value != 1 or seed < 0:
            raise ValueError(
                f"expected binary images and seed >= 0, got {dataset.image_shape} of bytes up to "
                f"{dataset.max_value}, and {seed}"
            )
        self.dataset = dataset
        self.seed = seed
        self.space = dataset.space
        self.image_shape = (3, height, width)

    def __len__(self) -> int:
        return len(self.dataset)

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices."""
        return self.dataset.factors(indices)

    def images(self, indices: object) -> Images:
        """The images of some indices."""
        rows = as_indices(indices, len(self))
        masks = self.dataset.images(rows)[:, 0].numpy().astype(bool)
        images = np.empty((len(rows), *self.image_shape), np.uint8)
        for image, mask, index in zip(images, masks, rows.tolist(), strict=True):
            image[:] = self._paint(mask, np.random.default_rng([self.seed, index]))
        return torch.from_numpy(images)

    @abstractmethod
    def _paint(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
        """The image (3, height, width) of the sprite that covers ``mask``."""


class ColorSprites(_Variant):
    """Color-dSprites: each sprite has a random colour, whose channels are uniform in [0.5, 1].

    The colour is no factor: it is noise that a representation has to cope with. It belongs to the
    image, a function of the seed and the index, where the original draws it anew each time.

    Args:
        dataset: binary images with factors: ``DSprites(root)`` or ``Sprites()``.
        seed: which colours.

    Raises:
        ValueError: the images are not binary, or the seed is negative.

    Reference:
        Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        Representations, Locatello et al. 2019, https://github.com/google-research/disentanglement_lib

    Example:
        >>> from disvae.data import Sprites
        >>> ColorSprites(Sprites(), seed=1).images([0, 5]).shape
        torch.Size([2, 3, 64, 64])
    """

    def _paint(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
        return mask * _byte(rng.uniform(0.5, 1, (3, 1, 1)))


class NoisySprites(_Variant):
    """Noisy-dSprites: a white sprite on noise, uniform and independent in each channel and pixel.

    The noise belongs to the image, a function of the seed and the index, where the original draws
    it anew each time.

    Args:
        dataset: binary images with factors: ``DSprites(root)`` or ``Sprites()``.
        seed: which noise.

    Raises:
        ValueError: the images are not binary, or the seed is negative.

    Reference: as :class:`ColorSprites`
    """

    def _paint(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
        return np.where(
            mask, np.uint8(255), rng.integers(256, size=self.image_shape, dtype=np.uint8)
        )


class ScreamSprites(_Variant):
    """Scream-dSprites: a random patch of Munch's painting, inverted where the sprite is.

    As in the original, the painting is first made to fit into 350×274 pixels, and a patch is
    averaged with a random colour. Patch and colour belong to the image, a function of the seed and
    the index, where the original draws them anew each time.

    Args:
        dataset: binary images with factors: ``DSprites(root)`` or ``Sprites()``.
        picture: the file of the painting; ``scream/scream.jpg`` in $DISVAE_DATA or
            ``~/.disvae/data`` if None.
        seed: which patches and colours.

    Raises:
        FileNotFoundError: there is no such file; the message says where to get one.
        ValueError: the file is damaged, the painting smaller than an image, the images are not
            binary, or the seed is negative.

    Reference: as :class:`ColorSprites`
    """

    def __init__(
        self, dataset: FactorDataset, picture: str | Path | None = None, seed: int = 0
    ) -> None:
        super().__init__(dataset, seed)
        file = Path(picture) if picture else data_root(None) / "scream" / "scream.jpg"
        find_file([file], WHERE)
        with reading(file):
            self._painting = _read_painting(file)
            if min(np.subtract(self._painting.shape, self.image_shape)) < 0:
                raise ValueError(f"its size is {self._painting.shape[1:]}, less than an image's")

    def _paint(self, mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
        _, height, width = self.image_shape
        top = rng.integers(self._painting.shape[1] - height + 1)
        left = rng.integers(self._painting.shape[2] - width + 1)
        patch = self._painting[:, top : top + height, left : left + width]
        background = (patch + rng.uniform(size=(3, 1, 1))) / 2
        return _byte(np.where(mask, 1 - background, background))


def _byte(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(255 * image).astype(np.uint8)


def _read_painting(file: Path) -> NDArray[np.float64]:
    """The painting (3, height, width), in [0, 1]."""
    from PIL import Image

    with Image.open(file) as picture:
        small = picture.convert("RGB")
    small.thumbnail((350, 274))
    return np.asarray(small).transpose(2, 0, 1) / 255
