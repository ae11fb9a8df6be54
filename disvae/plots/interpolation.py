"""The way from one image to another, through the space of codes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.models import LatentModel
from disvae.plots.grid import image_grid, label_columns, label_rows, show_grid
from disvae.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Path = Literal["linear", "spherical", "dimensions"]


def interpolate(
    a: Float[Tensor, "n latent_dim"],
    b: Float[Tensor, "n latent_dim"],
    n_steps: int,
    path: Path = "linear",
    order: Sequence[int] | None = None,
) -> Float[Tensor, "n n_steps latent_dim"]:
    """Codes on the way from ``a`` to ``b``, both included, evenly spaced along it.

    Args:
        a: where each way begins.
        b: where it ends.
        n_steps: codes on the way.
        path: "linear", straight; "spherical", along a great circle, whose codes are as long as
            draws from the prior are; "dimensions", one dimension after another, so that each change
            is seen alone, the time for each in proportion to how far it goes.
        order: of the dimensions, for the last; that of the code if None.

    Raises:
        ValueError: fewer than 2 steps.

    Reference:
        Sampling Generative Networks, White 2016, https://arxiv.org/abs/1609.04468, for "spherical".

    Example:
        >>> interpolate(torch.zeros(1, 2), torch.ones(1, 2), 3, "dimensions").tolist()
        [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]
    """
    if n_steps < 2:
        raise ValueError(f"an interpolation needs at least 2 steps, got {n_steps}")
    t = torch.linspace(0, 1, n_steps).to(a)[:, None]  # (n_steps, 1)
    a, b = a[:, None], b[:, None]
    if path == "spherical":
        return _spherical(a, b, t)
    if path == "dimensions":
        return _one_by_one(a, b, t, list(range(a.shape[-1]) if order is None else order))
    return torch.lerp(a, b, t)


def _spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    cosine = torch.cosine_similarity(a, b, dim=-1)[..., None]
    angle = cosine.clamp(-1, 1).arccos()
    curved = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin() > 1e-4, curved, torch.lerp(a, b, t))  # one line: no circle


def _one_by_one(a: Tensor, b: Tensor, t: Tensor, order: list[int]) -> Tensor:
    lengths = (b - a).abs()[..., order]  # (n, 1, latent_dim)
    ends = lengths.cumsum(-1)
    gone = t * ends[..., -1:] - (ends - lengths)
    share = (gone / lengths.clamp(min=1e-12)).clamp(0, 1)  # of each dimension's way
    codes = a.expand_as(share).clone()
    codes[..., order] = torch.lerp(a[..., order], b[..., order], share)
    return codes


def _at_an_end(codes: Tensor, a: Tensor, b: Tensor, dimensions: Sequence[int]) -> Tensor:
    """The codes with some dimensions at the nearer of both ends."""
    nearer = torch.where((codes - a).abs() <= (codes - b).abs(), a, b)
    moved = codes.clone()
    moved[..., list(dimensions)] = nearer[..., list(dimensions)]
    return moved


@styled
@torch.no_grad()
def interpolation_figure(
    model: LatentModel,
    first: Float[Tensor, "n channels height width"],
    last: Float[Tensor, "n channels height width"],
    n_steps: int = 9,
    path: Path = "linear",
    order: Sequence[int] | None = None,
    labels: Sequence[str] = (),
    scale: int | None = None,
) -> "Figure":
    """A row for each pair of images: the first, what lies between their codes, and the last.

    Between two categories there is none: a categorical dimension changes over halfway.

    Args:
        model: the model.
        first: images in [0, 1]; the way begins at their posterior means.
        last: images in [0, 1], where it ends.
        n_steps: images on the way, the reconstructions of both included.
        path: see :func:`interpolate`.
        order: see :func:`interpolate`.
        labels: of the rows.
        scale: pixels of the picture for each pixel of an image; None to fill its usual width.

    Returns:
        A matplotlib figure, to be shown 900 pixels wide.

    Raises:
        ValueError: see :func:`interpolate`.
    """
    weight = next(model.parameters())
    a, b = (model.represent(x.to(weight)) for x in (first, last))
    codes = interpolate(a, b, n_steps, path, order)
    codes = _at_an_end(codes, a[:, None], b[:, None], model.discrete)
    between = model.likelihood.mean(model.decode(codes.flatten(0, 1))).to(first)
    rows = [first[:, None], between.unflatten(0, codes.shape[:2]), last[:, None]]
    picture = image_grid(torch.cat(rows, 1))
    figure, axes = show_grid(picture, 0.5, left=1.2 if labels else 0.1, scale=scale)
    axes.set_yticks([])
    if labels:
        label_rows(axes, labels)
    shares = [f"{i / (n_steps - 1):.2g}" for i in range(n_steps)]
    label_columns(axes, ["image", *shares, "image"])
    axes.set_xlabel(f"part of the way between the codes ({path})")
    return figure
