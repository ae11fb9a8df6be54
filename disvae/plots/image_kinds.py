"""The kinds of pictures of images that ``disvae plot`` draws: functions of a run.

A keyword of such a function is an option of the command, and what is said of it here is the
option's help. All have a default.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.data import ImageDataset
from disvae.models import VAE
from disvae.plots.animation import Animation
from disvae.plots.choice import choose_images
from disvae.plots.dimensions import Dimensions, describe_dimensions
from disvae.plots.errors import NotApplicableError
from disvae.plots.films import training_animation as draw_training
from disvae.plots.films import traversal_animation as draw_moving
from disvae.plots.images import images_figure
from disvae.plots.interpolation import Path, interpolation_figure
from disvae.plots.reconstruct_traverse import reconstruct_traverse_figure
from disvae.plots.reconstructions import reconstruction_figure
from disvae.plots.traversals import Unit, traversal_figure, traversal_values
from disvae.training import Run, load_images

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
    shown = load_images(data, indices).unflatten(0, (rows, columns))
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
    x = _images(run.data(), rows * columns, images, seed)
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

    Beside each row stand the dimension, its mean KL and, if the data has factors, the factor that
    it knows most of.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL; null for all.
        columns: values that a dimension is set to.
        range: the largest value, if 0.5 or more, on both sides of 0. Less is a part of the
            distribution, as 0.45 is from its 5 % to its 95 % quantile: of the prior (±1.645) or,
            with --posterior, of the image's posterior, around its mean.
        posterior: start from the posterior mean of an image, not from the prior's.
        images: indices of the images to start from, with or without --posterior; each has its row
            in every dimension.
        scale: pixels of the picture for each pixel of an image; null to fill 1800 pixels.
        seed: draws the image to start from if --posterior is given alone.

    Returns:
        A matplotlib figure.
    """
    model, data = run.model(), run.data()
    known = describe_dimensions(model, data)
    x = _starts(data, posterior, images, max(1, len(images)), seed)
    values = traversal_values(range, columns)
    unit = _unit(x, range)
    return traversal_figure(model, x, known.kl, values, known.factors, rows, unit, scale)


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
    x = _images(data, columns, images, seed)
    values = traversal_values(range, columns)
    unit = _unit(x if posterior else None, range)
    known = describe_dimensions(model, data)
    return reconstruct_traverse_figure(
        model, x, known, values, rows, posterior, unit, show_loss, scale
    )


def traversal_animation(
    run: Run,
    *,
    rows: int | None = 5,
    columns: int = 5,
    range: float = 2.0,
    images: Sequence[int] = (),
    steps: int = 12,
    fps: float = 10.0,
    scale: int | None = None,
    seed: int = 0,
) -> Animation:
    """Traversals that move: a row for each dimension, a column for each image.

    Each starts from its image's posterior mean, and goes there and back.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL; null for all.
        columns: images.
        range: see traversals: the largest value, or less than 0.5 for quantiles of the posterior.
        images: indices of the images that come first.
        steps: values from one end to the other.
        fps: frames a second.
        scale: pixels of a frame for each pixel of an image; null to fill 650 pixels.
        seed: draws the other images.

    Returns:
        An animation of 2·steps − 2 frames.
    """
    model, data = run.model(), run.data()
    indices = choose_images(data, columns, images, seed)
    x = load_images(data, indices)
    known = describe_dimensions(model, data)
    labels = [f"image {index}" for index in indices.tolist()]
    values = traversal_values(range, steps)
    return draw_moving(model, x, known, values, rows, _unit(x, range), labels, scale, fps)


def training_animation(
    run: Run,
    *,
    rows: int | None = None,
    columns: int = 9,
    range: float = 2.0,
    posterior: bool = False,
    images: Sequence[int] = (),
    fps: float = 5.0,
    scale: int | None = None,
    seed: int = 0,
) -> Animation:
    """Traversals over the time of training, a frame for each model that was kept.

    Models are kept by `disvae train --keep_every STEPS`. Rows stay in the order of the last model.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL in the end; null for all.
        columns: values that a dimension is set to.
        range: see traversals: the largest value, or less than 0.5 for quantiles.
        posterior: traverse from the posterior mean of an image, not from the prior's.
        images: index of the image to start from, with or without --posterior.
        fps: frames a second.
        scale: pixels of a frame for each pixel of an image; null to fill 650 pixels.
        seed: draws the image to start from if --posterior is given alone.

    Returns:
        An animation of as many frames as there are models.
    """
    steps = run.kept_steps()
    if not steps:
        raise NotApplicableError(
            f"{run.path} keeps no weights over time: train with --keep_every STEPS"
        )
    data = run.data()
    x = _starts(data, posterior, images, 1, seed)
    last = describe_dimensions(run.kept_model(steps[-1]), data)
    return draw_training(
        _history(run, data, steps),
        None if x is None else x[0],
        last.order(rows),
        traversal_values(range, columns),
        _unit(x, range),
        scale,
        fps,
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
    x = load_images(data, indices)
    labels = [f"{a} to {b}" for a, b in indices.view(-1, 2).tolist()]
    order = describe_dimensions(model, data).order() if path == "dimensions" else None
    return interpolation_figure(model, x[::2], x[1::2], columns, path, order, labels, scale)


def _images(
    data: ImageDataset, n: int, images: Sequence[int], seed: int
) -> Float[Tensor, "n channels height width"]:
    return load_images(data, choose_images(data, n, images, seed))


def _starts(
    data: ImageDataset, posterior: bool, images: Sequence[int], n: int, seed: int
) -> Float[Tensor, "n channels height width"] | None:
    """The images that traversals start from, or None for the prior."""
    return _images(data, n, images, seed) if posterior or images else None


def _unit(x: object, range: float) -> Unit:
    """Quantiles are those of the posterior if it is one that is traversed."""
    return "posterior" if x is not None and range < 0.5 else "code"


def _history(
    run: Run, data: ImageDataset, steps: Sequence[int]
) -> Iterator[tuple[int, VAE, Dimensions]]:
    """The models that were kept, and what their dimensions were."""
    for step in steps:
        model = run.kept_model(step)
        yield step, model, describe_dimensions(model, data)


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
