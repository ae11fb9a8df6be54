"""A model as someone at a row of sliders sees it: images to codes, and codes to images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.data import ImageDataset
from disvae.divergence import information_per_dimension
from disvae.divergence.parameters import continuous_part, join
from disvae.explore.upload import read_picture
from disvae.models import LatentModel
from disvae.training import encode_posteriors, load_run

Image = Float[Tensor, "channels height width"]
Code = tuple[float, ...]

# Images over which the KL of each dimension is averaged.
N_IMAGES = 1000

# Standard deviations of the prior that a slider reaches at least to either side.
REACH = 3.0


@dataclass(frozen=True)
class Start:
    """An image to explore from.

    Attributes:
        original: the image.
        reconstruction: the mean image at its code.
        code: its posterior mean, to two decimals, as sliders show it.
        kl: nats of each dimension's posterior for this image.
    """

    original: Image
    reconstruction: Image
    code: Code
    kl: tuple[float, ...]


@dataclass(frozen=True)
class Explorer:
    """A model and its data set, with what a page needs to show of them.

    Attributes:
        model: the model, in evaluation mode.
        data: images to start from.
        kl: mean nats of each dimension over the data set.
        reach: how far sliders of continuous dimensions go to either side of 0.

    Example:
        >>> from disvae import BurgessVAE
        >>> from disvae.data import Sprites
        >>> explorer = explore(BurgessVAE((1, 64, 64), latent_dim=3).eval(), Sprites(), n_images=8)
        >>> start = explorer.start_at(0)
        >>> explorer.decode(start.code).equal(start.reconstruction)
        True
    """

    model: LatentModel
    data: ImageDataset
    kl: tuple[float, ...]
    reach: float

    @property
    def order(self) -> list[int]:
        """The dimensions, the most informative first."""
        return sorted(range(len(self.kl)), key=lambda j: -self.kl[j])

    def start_at(self, index: int) -> Start:
        """Start from an image of the data set.

        Raises:
            ValueError: there is no such image.
        """
        if not 0 <= index < len(self.data):
            raise ValueError(f"the image must be from 0 to {len(self.data) - 1}, got {index}")
        return self._start(self.data.floats(torch.tensor([index]))[0])

    def start_from(self, content: bytes) -> Start:
        """Start from a picture file of one's own.

        Raises:
            ValueError: it cannot be read; see :func:`read_picture`.
        """
        return self._start(read_picture(content, self.data.image_shape))

    @torch.no_grad()
    def decode(self, code: Sequence[float]) -> Image:
        """The mean image at a code, on the CPU.

        Raises:
            ValueError: the code has another number of dimensions.
        """
        if len(code) != self.model.latent_dim:
            raise ValueError(f"expected a code of {self.model.latent_dim} numbers, got {len(code)}")
        z = torch.tensor([list(code)]).to(next(self.model.parameters()))
        return self.model.likelihood.mean(self.model.decode(z))[0].float().cpu()

    @torch.no_grad()
    def _start(self, x: Image) -> Start:
        posterior: Any = self.model.encode(x[None].to(next(self.model.parameters())))
        code = tuple(round(value, 2) for value in posterior.loc[0].tolist())
        kl = information_per_dimension(posterior, self.model.prior)[0].tolist()
        return Start(x, self.decode(code), code, tuple(kl))


def explore(model: LatentModel, data: ImageDataset, n_images: int = N_IMAGES) -> Explorer:
    """Get a model ready to be explored: measure its dimensions.

    Args:
        model: the model, in evaluation mode.
        data: images of its shape.
        n_images: how many of them, drawn at random, to measure on; all if there are fewer.

    Raises:
        ValueError: the images are neither grey nor RGB, or the model's codes are not finite.
    """
    if data.image_shape[0] not in (1, 3):
        raise ValueError(f"expected images of 1 or 3 channels, got {data.image_shape[0]}")
    some = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:n_images]
    posteriors = encode_posteriors(model, data, some, progress=False)
    kl = information_per_dimension(posteriors, join([model.prior])).mean(0)
    if not kl.isfinite().all():
        raise ValueError("the model's codes are not finite numbers: its training has diverged")
    means = continuous_part(posteriors).mean.flatten()
    return Explorer(model, data, tuple(kl.tolist()), reach(means.tolist()))


def explore_run(run: str | Path) -> Explorer:
    """Get a finished run ready to be explored.

    Args:
        run: the run directory, or the name of a pretrained model.

    Raises:
        FileNotFoundError: it is not a run directory, or training has not ended.
        ValueError: see :func:`explore`.
    """
    finished = load_run(run)
    return explore(finished.model(), finished.data())


def reach(values: Sequence[float], least: float = REACH) -> float:
    """How far to either side of 0 sliders must go to show all values: a whole number."""
    return max([least, *(math.ceil(abs(value)) for value in values)])


def interpolate(
    a: Sequence[float], b: Sequence[float], t: float, discrete: Sequence[int] = ()
) -> Code:
    """The code at a fraction ``t`` of the straight line from ``a`` to ``b``, to two decimals.

    Between two categories there is none: discrete dimensions change over at 0.5.

    Example:
        >>> interpolate((0.0, -1.0), (1.0, 1.0), 0.25)
        (0.25, -0.5)
    """
    share = [round(t) if j in discrete else t for j in range(len(a))]
    return tuple(round((1 - s) * x + s * y, 2) for s, x, y in zip(share, a, b, strict=True))
