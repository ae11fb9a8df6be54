"""The kinds of pictures of images, standing still, that ``disvae plot`` draws: functions of a run.

A keyword of such a function is an option of the command, and what is said of it here is the
option's help. All have a default.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from disvae.divergence.bounded import within_bounds
from disvae.models import LatentModel
from disvae.plots.choice import choose_images, load_chosen, starting_images
from disvae.plots.dimensions import describe_dimensions, describe_run
from disvae.plots.images import images_figure
from disvae.plots.interpolation import Path, interpolation_figure
from disvae.plots.reconstruct_traverse import reconstruct_traverse_figure
from disvae.plots.reconstructions import reconstruction_figure
from disvae.plots.traversals import VALUES, traversal_figure, traversal_unit, traversal_values
from disvae.training import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def data_samples(
    run: Run,
    *,
    rows: int = 4,
    columns: int = 8,
    images: Sequence[int] = (),
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """Images of the run's data set, each with its index above it.

    Args:
        run: the run.
        rows: rows of images.
        columns: images in a row.
        images: indices of the images that come first.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    _check_positive(rows=rows, columns=columns)
    data = run.data()
    indices = choose_images(data, rows * columns, images, seed)
    shown = data.floats(indices).unflatten(0, (rows, columns))
    return images_figure(shown, [str(index) for index in indices.tolist()], scale=scale)


@torch.no_grad()
def samples(
    run: Run, *, rows: int = 4, columns: int = 8, scale: int | None = None, seed: int = 0
) -> "Figure":
    """Images that the model makes of codes drawn from the prior.

    Args:
        run: the run.
        rows: rows of images.
        columns: images in a row.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the codes.

    Returns:
        A matplotlib figure.
    """
    _check_positive(rows=rows, columns=columns)
    drawn = run.model().sample(rows * columns, torch.Generator().manual_seed(seed))
    return images_figure(drawn.unflatten(0, (rows, columns)), scale=scale)


def reconstructions(
    run: Run,
    *,
    rows: int = 2,
    columns: int = 8,
    images: Sequence[int] = (),
    show_loss: bool = False,
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """Images, and below each its reconstruction.

    Args:
        run: the run.
        rows: rows of images, each with a row of reconstructions.
        columns: images in a row.
        images: indices of the images that come first.
        show_loss: write the reconstruction's loss above it, −log p(x|z) in nats.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    _check_positive(rows=rows, columns=columns)
    x = load_chosen(run.data(), rows * columns, images, seed)
    return reconstruction_figure(run.model(), x, columns, show_loss, scale)


def traversals(
    run: Run,
    *,
    rows: int | None = None,
    columns: int = 11,
    range: float = 2.0,
    posterior: bool = False,
    images: Sequence[int] = (),
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """What each dimension does to an image, the dimension of the largest KL first.

    Beside each row stand the dimension, its mean KL and the name that `disvae explore` gave it, or
    else the factor that it knows most of, if the data has factors.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL; null for all.
        columns: values that a dimension is set to.
        range: the largest value, if 0.5 or more, on both sides of 0, as far as the prior reaches.
            Less is a part of the distribution, as 0.45 is from its 5 % to its 95 % quantile: of the
            prior (±1.645) or, with --posterior, of the image's posterior, around its mean.
        posterior: start from the posterior mean of an image, not from the prior's.
        images: indices of the images to start from, with or without --posterior; each has its row
            in every dimension.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the image to start from if --posterior is given alone.

    Returns:
        A matplotlib figure.
    """
    model, data = run.model(), run.data()
    known = describe_run(run, model, data)
    x = starting_images(data, posterior, images, max(1, len(images)), seed)
    values = within_bounds(model.prior, traversal_values(range, columns))
    unit = traversal_unit(x, range)
    return traversal_figure(model, x, known.kl, values, known.called, rows, unit, scale)


def traversal_of(run: Run, model: LatentModel, index: int | None = None) -> "Figure":
    """Traversals from one image, as they are drawn unless something else is asked for.

    Args:
        run: the run.
        model: its model, with whatever weights.
        index: of the image; that in the middle of the data set if None.

    Raises:
        ValueError: there is no such image.
    """
    data = run.data()
    index = len(data) // 2 if index is None else index
    x = load_chosen(data, 1, [index], seed=0)[0]
    known = describe_run(run, model, data)
    return traversal_figure(model, x, known.kl, within_bounds(model.prior, VALUES), known.called)


def reconstruct_traverse(
    run: Run,
    *,
    rows: int | None = None,
    columns: int = 9,
    range: float = 2.0,
    posterior: bool = False,
    images: Sequence[int] = (),
    show_loss: bool = False,
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """A row of images, a row of their reconstructions, and below them traversals.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL; null for all.
        columns: images in a row, and values that a dimension is set to.
        range: see traversals: the largest value, or less than 0.5 for quantiles.
        posterior: traverse from the posterior mean of the first image, not from the prior's.
        images: indices of the images that come first.
        show_loss: write the mean of the reconstructions' loss beside them, −log p(x|z) in nats.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    model, data = run.model(), run.data()
    x = load_chosen(data, columns, images, seed)
    values = within_bounds(model.prior, traversal_values(range, columns))
    unit = traversal_unit(x if posterior else None, range)
    known = describe_run(run, model, data)
    return reconstruct_traverse_figure(
        model, x, known, values, rows, posterior, unit, show_loss, scale
    )


def interpolation(
    run: Run,
    *,
    rows: int = 4,
    columns: int = 9,
    images: Sequence[int] = (),
    path: Path = "linear",
    scale: int | None = None,
    seed: int = 0,
) -> "Figure":
    """What lies between two images: a row for each pair.

    Args:
        run: the run.
        rows: pairs of images.
        columns: steps from the code of the first to that of the last.
        images: indices of the images that come first: the first pair, the second and so on.
        path: linear; spherical, along a great circle; or dimensions, one after another in the order
            of their KL, so that each change is seen alone.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    _check_positive(rows=rows)
    model, data = run.model(), run.data()
    indices = choose_images(data, 2 * rows, images, seed)
    x = data.floats(indices)
    labels = [f"{a} to {b}" for a, b in indices.view(-1, 2).tolist()]
    order = describe_dimensions(model, data).order() if path == "dimensions" else None
    return interpolation_figure(model, x[::2], x[1::2], columns, path, order, labels, scale)


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
