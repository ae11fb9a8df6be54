"""The kinds of pictures that move, for ``disvae plot``; see :mod:`disvae.plots.image_kinds`."""

from collections.abc import Iterator, Sequence

from disvae.data import ImageDataset
from disvae.divergence.bounded import within_bounds
from disvae.models import LatentModel
from disvae.plots.animation import Animation
from disvae.plots.choice import choose_images, starting_images
from disvae.plots.dimensions import Dimensions, describe_run
from disvae.plots.errors import NotApplicableError
from disvae.plots.films import training_animation as draw_training
from disvae.plots.films import traversal_animation as draw_moving
from disvae.plots.traversals import traversal_unit, traversal_values
from disvae.training import Run


def traversal_animation(
    run: Run,
    *,
    rows: int | None = 5,
    columns: int = 5,
    range: float = 2.0,
    posterior: bool = False,
    images: Sequence[int] = (),
    steps: int = 12,
    fps: float = 10.0,
    scale: int | None = None,
    seed: int = 0,
) -> Animation:
    """Traversals that move, there and back: a row for each dimension.

    From the mean of the prior, or with a column for each image from its posterior mean.

    Args:
        run: the run.
        rows: dimensions to show, those of the largest KL; null for all.
        columns: images to start from.
        range: see traversals: the largest value, or less than 0.5 for quantiles.
        posterior: start from the posterior means of images, not from the prior's mean.
        images: indices of the images that come first, with or without --posterior.
        steps: values from one end to the other.
        fps: frames a second.
        scale: pixels of a frame for each pixel of an image; null to fill 650 pixels.
        seed: draws the other images.

    Returns:
        An animation of 2·steps − 2 frames.
    """
    model, data = run.model(), run.data()
    x = starting_images(data, posterior, images, columns, seed)
    labels = []
    if x is not None:
        chosen = choose_images(data, columns, images, seed).tolist()
        labels = [f"image {index}" for index in chosen]
    known = describe_run(run, model, data)
    values = within_bounds(model.prior, traversal_values(range, steps))
    return draw_moving(model, x, known, values, rows, traversal_unit(x, range), labels, scale, fps)


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
    x = starting_images(data, posterior, images, 1, seed)
    model = run.kept_model(steps[-1])
    last = describe_run(run, model, data)
    return draw_training(
        _history(run, data, steps),
        None if x is None else x[0],
        last.order(rows),
        within_bounds(model.prior, traversal_values(range, columns)),
        traversal_unit(x, range),
        scale,
        fps,
    )


def _history(
    run: Run, data: ImageDataset, steps: Sequence[int]
) -> Iterator[tuple[int, LatentModel, Dimensions]]:
    """The models that were kept, and what their dimensions were."""
    for step in steps:
        model = run.kept_model(step)
        yield step, model, describe_run(run, model, data)
