"""Swapped sub-codes: one image gives one part of the code, another image the rest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.grid import image_grid, show_grid
from disvae.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 3  # pixels between the images and what is made of them


@torch.no_grad()
def swap(
    model: LatentModel,
    rows: Float[Tensor, "n_rows channels height width"],
    columns: Float[Tensor, "n_columns channels height width"],
    dimensions: Sequence[int],
) -> Float[Tensor, "n_rows n_columns channels height width"]:
    """Decode the codes that have some dimensions of one image and the others of another.

    Args:
        model: the model; codes are posterior means.
        rows: images in [0, 1] that give ``dimensions``.
        columns: images that give all other dimensions.
        dimensions: one part of the code, such as the specified one of a cycle-consistent VAE.

    Returns:
        Mean images, on the model's device; ``[i, j]`` has ``dimensions`` of ``rows[i]`` and the
        rest of ``columns[j]``.

    Raises:
        ValueError: no dimensions, all of them, one twice, or one that the codes do not have.

    Reference:
        Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders, Jha et
        al. 2018, https://arxiv.org/abs/1804.10469
    """
    part = check_part(dimensions, model.latent_dim)
    weight = next(model.parameters())
    own, rest = (model.represent(x.to(weight)) for x in (rows, columns))
    codes = rest.repeat(len(rows), 1, 1)  # (n_rows, n_columns, latent_dim)
    codes[:, :, part] = own[:, None, part]
    images = model.likelihood.mean(model.decode(codes.flatten(0, 1)))
    return images.unflatten(0, (len(rows), len(columns)))


@styled
def swap_figure(
    model: LatentModel,
    rows: Float[Tensor, "n_rows channels height width"],
    columns: Float[Tensor, "n_columns channels height width"],
    dimensions: Sequence[int],
    parts: tuple[str, str] = ("", ""),
) -> "Figure":
    """A grid of swapped sub-codes, between the images that gave the parts.

    Left of each row stands the image that gives ``dimensions`` to it, above each column the image
    that gives the rest. Where the parts are disentangled, what a row has in common is what its
    image shows of the one part, and nothing else.

    Args:
        model: see :func:`swap`.
        rows: see :func:`swap`.
        columns: see :func:`swap`.
        dimensions: see :func:`swap`.
        parts: what the part of the rows and that of the columns are called; the numbers of their
            dimensions if empty.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: see :func:`swap`.

    Example:
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 16, 16), latent_dim=4), torch.rand(3, 1, 16, 16)
        >>> figure = swap_figure(model, x, x, dimensions=[0, 1], parts=("style", "content"))
        >>> figure.axes[0].get_xlabel()
        'style of the image on the left, content of the image above'
    """
    swapped = swap(model, rows, columns, dimensions).float().cpu()
    above = torch.cat([torch.ones_like(rows[:1]), columns]).to(swapped)
    table = torch.cat([rows[:, None].to(swapped), swapped], dim=1)
    height, width = rows.shape[-2:]
    picture = set_apart(image_grid(torch.cat([above[None], table])), height + 2, width + 2)
    figure, axes = show_grid(picture, below=0.4, left=0.1)
    axes.set_xticks([])
    axes.set_yticks([])
    rest = [j for j in range(model.latent_dim) if j not in list(dimensions)]
    first, second = (
        name or numbers(part) for name, part in zip(parts, (list(dimensions), rest), strict=True)
    )
    axes.set_xlabel(f"{first} of the image on the left, {second} of the image above")
    return figure


def set_apart(
    picture: Float[Tensor, "height width 3"], height: int, width: int
) -> Float[Tensor, "new_height new_width 3"]:
    """The picture with a white gap after its first rows and columns of pixels; 0 for none."""
    if height:
        gap = torch.ones(GAP, picture.shape[1], 3)
        picture = torch.cat([picture[:height], gap, picture[height:]])
    if width:
        gap = torch.ones(len(picture), GAP, 3)
        picture = torch.cat([picture[:, :width], gap, picture[:, width:]], dim=1)
    return picture


def numbers(part: Sequence[int]) -> str:
    """The numbers of some dimensions, for a reader."""
    return f"dimension{'s' if len(part) > 1 else ''} {', '.join(map(str, part))}"


def check_part(dimensions: Sequence[int], latent_dim: int) -> list[int]:
    """Some of the dimensions of a code, but not all of them, each once."""
    part = list(dimensions)
    inside = all(0 <= j < latent_dim for j in part)
    if not inside or len(set(part)) < len(part) or not 0 < len(part) < latent_dim:
        raise ValueError(
            f"expected some, but not all, of the dimensions 0 to {latent_dim - 1}, each once, got "
            f"{part}"
        )
    return part
