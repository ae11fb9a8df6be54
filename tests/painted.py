"""A model whose pixels are its codes, so that a picture shows which code was decoded where."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from disvae import VAE
from disvae.data import FactorDataset, FactorSpace
from disvae.likelihoods import Gaussian
from disvae.spec import describe
from disvae.training import Run, load_run
from disvae.training.run import RunDirectory

SHAPE = (1, 2, 2)
STD = (1.0, 0.5, 0.1)


class Moments(nn.Module):
    """The first three pixels, from −5 to 5."""

    def forward(self, x: Tensor) -> Tensor:
        mean = 10 * (x.flatten(1)[:, :3] - 0.5)
        log_var = 2 * torch.tensor(STD).log().expand_as(mean)
        return torch.cat([mean, log_var], 1)


class Paint(nn.Module):
    """The codes as pixels, and a grey one."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        pixels = 0.5 + self.scale * z / 10
        return torch.cat([pixels, torch.full_like(z[:, :1], 0.5)], 1).view(-1, *SHAPE)


class PaintedVAE(VAE):
    """z_j is pixel j, its deviation ``STD[j]``."""

    def __init__(self) -> None:
        super().__init__(Moments(), Paint(), latent_dim=3, likelihood=Gaussian())


class Mirror(nn.Module):
    """The four pixels are the code, in the opposite order."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return (self.scale * z.flip(1)).view(-1, *SHAPE)


class FourPixels(nn.Module):
    """The posterior mean is the four pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.flatten(1), torch.zeros(len(x), 4)], 1)


def mirrored_vae() -> VAE:
    """Paints the four pixels of an image in the opposite order."""
    return VAE(FourPixels(), Mirror(), latent_dim=4, likelihood=Gaussian())


class PaintedImages(FactorDataset):
    """All images whose codes are −2, −1, 0, 1 or 2: the factors less 2."""

    image_shape = SHAPE
    max_value = 10

    def __init__(self) -> None:
        self.space = FactorSpace(("red", "green_light", "blue"), (5, 5, 5))

    def __len__(self) -> int:
        return 125

    def factors(self, indices: object) -> Tensor:
        i = torch.as_tensor(indices)
        return torch.stack([i // 25, i // 5 % 5, i % 5], 1)

    def images(self, indices: object) -> Tensor:
        grey = torch.full((len(torch.as_tensor(indices)), 1), 2)
        return (torch.cat([self.factors(indices), grey], 1) + 3).to(torch.uint8).view(-1, *SHAPE)


def code_of(index: int) -> list[float]:
    """The code of an image of the data."""
    return [index // 25 - 2, index // 5 % 5 - 2, index % 5 - 2]


def painted_run(path: Path, kept_scales: dict[int, float] | None = None) -> Run:
    """A run directory of these, with models kept whose codes are painted fainter or bolder."""
    model = PaintedVAE()
    config = {"model": describe(model), "data": describe(PaintedImages()), "seed": 0, "steps": 1}
    directory = RunDirectory(path, config)
    directory.write_end({"model": model.state_dict(), "criterion": {}})
    for step, scale in (kept_scales or {}).items():
        model.decoder.scale.data.fill_(scale)
        directory.write_kept(model, step)
    return load_run(path)


def picture(figure) -> Tensor:
    """The grid that a figure shows."""
    return torch.as_tensor(np.asarray(figure.axes[0].images[0].get_array()))


def codes_shown(grid: Tensor, rows: int, columns: int, above: int = 0) -> Tensor:
    """The codes that were painted in each cell of a grid, (rows, columns, 3)."""
    cells = grid[..., 0].unflatten(1, (columns, -1)).unflatten(0, (rows, -1)).transpose(1, 2)
    inner = cells[:, :, 1 + above : -1, 1:-1].flatten(2)
    return 10 * (inner[..., :3] - 0.5)
