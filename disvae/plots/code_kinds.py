"""The kinds of pictures of codes that ``disvae plot`` draws: functions of a run.

A keyword of such a function is an option of the command, its text below the option's help. All of
them but ``run`` have a default.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from disvae.data import FactorDataset, ImageDataset
from disvae.data.groups import labels_of
from disvae.divergence.parameters import join
from disvae.extras import need
from disvae.plots.choice import choose_images
from disvae.plots.embedding import Method, embedding_figure
from disvae.plots.errors import NotApplicableError
from disvae.plots.factor_maps import factor_map_figure
from disvae.plots.histograms import histogram_figure
from disvae.plots.metrics import latents_figure
from disvae.plots.swaps import swap_figure
from disvae.plots.sweep_kinds import all_runs
from disvae.plots.traversals import mean_kl
from disvae.plots.variations import variations_figure
from disvae.training import (
    Run,
    encode_dataset,
    encode_posteriors,
    load_run,
    read_dimension_names,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def histograms(
    run: Run,
    *,
    dimensions: Sequence[int] = (),
    bins: int = 40,
    points: int = 10_000,
    others: Sequence[str] = (),
    seed: int = 0,
) -> "Figure":
    """Codes of the aggregate posterior in each dimension, over the density of the prior.

    Args:
        run: the run.
        dimensions: which of them; all, sorted by their KL, if not given.
        bins: bars of each histogram.
        points: images to encode, at most.
        others: directories of further runs on as many dimensions, a row each.
        seed: chooses the images and draws the codes.

    Returns:
        A matplotlib figure.
    """
    posteriors, called = {}, []
    for each in map(load_run, all_runs(run, others)):
        data = each.data()
        posterior = encode_posteriors(each.model(), data, _some(data, points, seed), progress=False)
        posteriors[each.path.name] = posterior
        called.append(read_dimension_names(each.path))
    chosen = list(dimensions) or None
    only = posterior if len(posteriors) == 1 else posteriors
    prior = join([run.model().prior])
    return histogram_figure(only, chosen, bins, seed, prior, called)


def factor_maps(
    run: Run,
    *,
    over: Sequence[str] = (),
    by: str | None = None,
    points: int = 20_000,
    seed: int = 0,
) -> "Figure":
    """The mean of each dimension over the factors: a map of two of them, lines of the others.

    Args:
        run: the run.
        over: the two factors of the map; position_x and position_y if not given.
        by: the factor with a line for each of its values; shape if not given.
        points: images to encode, at most.
        seed: chooses the images.

    Returns:
        A matplotlib figure.
    """
    if len(over) not in (0, 2):
        raise ValueError(f"--over needs two factors, got {' '.join(over)}")
    data = _factor_data(run)
    indices = _some(data, points, seed)
    posterior = encode_posteriors(run.model(), data, indices, progress=False)
    kl = _kl(run, data, seed)
    pair = (over[0], over[1]) if over else None
    factors, names = _varied(data, indices)
    called = read_dimension_names(run.path)
    return factor_map_figure(
        posterior.loc, factors, names, over=pair, by=by, kl=kl.tolist(), called=called
    )


def latents(
    run: Run, *, dimensions: Sequence[int] = (), points: int = 10_000, seed: int = 0
) -> "Figure":
    """Each dimension against each factor: the samples, and their mean at each value.

    Args:
        run: the run.
        dimensions: which of them; all, sorted by their KL, if not given.
        points: images to encode, at most.
        seed: chooses the images.

    Returns:
        A matplotlib figure.
    """
    data = _factor_data(run)
    indices = _some(data, points, seed)
    codes = encode_dataset(run.model(), data, indices)
    chosen = list(dimensions) or _kl(run, data, seed).argsort(descending=True).tolist()
    called = read_dimension_names(run.path)
    return latents_figure(codes, *_varied(data, indices), chosen, seed, called)


def swaps(
    run: Run,
    *,
    dimensions: Sequence[int] = (),
    rows: int = 5,
    columns: int = 8,
    images: Sequence[int] = (),
    seed: int = 0,
) -> "Figure":
    """Images whose codes have one part of the image on the left, the rest of the image above.

    Args:
        run: the run.
        dimensions: the part that the images on the left give.
        rows: images on the left.
        columns: images above.
        images: indices of the images that come first, those on the left before those above.
        seed: draws the other images.

    Returns:
        A matplotlib figure.
    """
    if not dimensions:
        raise NotApplicableError("which part of the code to swap must be said: --dimensions 0 1 2")
    if rows < 1 or columns < 1:
        raise ValueError(f"expected at least 1 row and 1 column, got {rows} and {columns}")
    data = run.data()
    chosen = data.floats(choose_images(data, rows + columns, images, seed))
    return swap_figure(run.model(), chosen[:rows], chosen[rows:], list(dimensions))


def variations(
    run: Run,
    *,
    dimensions: Sequence[int] = (),
    rows: int = 5,
    columns: int = 8,
    images: Sequence[int] = (),
    seed: int = 0,
) -> "Figure":
    """Images of codes that keep one part of an image's, the rest being drawn from the prior.

    Args:
        run: the run.
        dimensions: the part that is kept.
        rows: images.
        columns: draws from the prior.
        images: indices of the images that come first.
        seed: draws the other images, and from the prior.

    Returns:
        A matplotlib figure.
    """
    if not dimensions:
        raise NotApplicableError("which part of the code to keep must be said: --dimensions 0 1 2")
    data = run.data()
    chosen = data.floats(choose_images(data, rows, images, seed))
    return variations_figure(run.model(), chosen, list(dimensions), columns, seed)


def embedding(
    run: Run,
    *,
    by: str | None = None,
    dimensions: Sequence[int] = (),
    method: Method = "tsne",
    neighbours: int = 30,
    points: int = 2_000,
    seed: int = 0,
) -> "Figure":
    """Codes in the plane by t-SNE or UMAP, coloured by the label or by a factor.

    Args:
        run: the run.
        by: the factor; the first one if not given.
        dimensions: a part of the code, to be drawn beside the rest of it.
        method: tsne, or umap, which needs umap-learn.
        neighbours: t-SNE's perplexity, UMAP's n_neighbors.
        points: images to encode, at most 2000.
        seed: chooses the images, and is the method's.

    Returns:
        A matplotlib figure.
    """
    if method == "umap":
        need("umap", "UMAP")
    data = run.data()
    indices = _some(data, points, seed)
    if len(indices) <= neighbours:
        raise NotApplicableError(f"{len(indices)} images have no {neighbours} neighbours each")
    values, label, names = _values(data, indices, by)
    model = run.model()
    parts = None
    if dimensions:
        rest = [j for j in range(model.latent_dim) if j not in dimensions]
        parts = {f"dimensions {', '.join(map(str, p))}": p for p in (list(dimensions), rest)}
    codes = encode_dataset(model, data, indices)
    return embedding_figure(codes, values.numpy(), label, names, parts, method, neighbours, seed)


CODE_KINDS: dict[str, Callable[..., Any]] = {
    "histograms": histograms,
    "factor-maps": factor_maps,
    "latents": latents,
    "swaps": swaps,
    "variations": variations,
    "embedding": embedding,
}


def _some(data: ImageDataset, points: int, seed: int) -> Tensor:
    return choose_images(data, min(points, len(data)), seed=seed)


def _factor_data(run: Run) -> FactorDataset:
    data = run.data()
    if not isinstance(data, FactorDataset):
        raise NotApplicableError(f"{type(data).__name__} has no factors to compare codes with")
    return data


def _varied(data: FactorDataset, indices: Tensor) -> tuple[Tensor, list[str]]:
    """The factors that take more than one value among some images, and their names."""
    factors = data.factors(indices)
    columns = [k for k, column in enumerate(factors.T) if len(column.unique()) > 1]
    if not columns:
        raise NotApplicableError(f"no factor varies among {len(indices)} images")
    return factors[:, columns], [data.space.names[k] for k in columns]


def _kl(run: Run, data: ImageDataset, seed: int) -> Tensor:
    return mean_kl(run.model(), data.floats(_some(data, 1_000, seed)))


def _values(
    data: ImageDataset, indices: Tensor, by: str | None
) -> tuple[Tensor, str, Sequence[str] | None]:
    """What to colour codes by: its values, what it is called, and what the values are."""
    if isinstance(data, FactorDataset):
        name = by or data.space.names[0]
        k = data.space.position(name)
        values = [str(value) for value in data.space.values[k]] if data.space.values else None
        return data.factors(indices)[:, k], name.replace("_", " "), values
    if by is not None:
        raise ValueError(f"{type(data).__name__} has no factors, and codes are coloured by a label")
    try:
        labels = labels_of(data, indices)
    except ValueError as error:
        raise NotApplicableError(f"{type(data).__name__}: {error}") from error
    return labels, "label", getattr(data, "label_names", None)
