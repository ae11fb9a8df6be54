"""All that a report says of one run, measured or read from its folder."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from disvae.data import FactorDataset, ImageDataset
from disvae.divergence.bounded import within_bounds
from disvae.models import LatentModel
from disvae.plots.report.codes import (
    Codes,
    encode,
    information_shares,
    measure_scores,
    measure_terms,
)
from disvae.plots.report.configuration import class_name
from disvae.plots.report.dimensions import Dimension, make_dimensions
from disvae.plots.report.evaluation import (
    Entries,
    entries,
    read_evaluation,
    stored_decomposition,
    stored_scores,
    stored_skipped,
)
from disvae.plots.report.log import Curve, read_curves
from disvae.plots.report.provenance import Start, read_starts, weights_digest
from disvae.plots.report.settings import ReportSettings
from disvae.plots.report.sheets import Sheet, make_sheet
from disvae.training import Run, read_dimension_names

N_STARTS = 4  # images to traverse from
MOST_NUMBERS = 8_000_000  # of all traversals: what keeps a report below 10 MB
N_RECONSTRUCTIONS = 16
N_SAMPLES = 24  # drawn from the prior


@dataclass(frozen=True)
class Contents:
    """One run in a report.

    Attributes:
        name: what the report calls it.
        config: its configuration.
        loss, model, data: the bare names of the classes.
        n_images: of the data set.
        curves: of its log, by quantity.
        scores: of each model, "trained" and perhaps "untrained", by metric.
        skipped: why a metric is not among them, by its name.
        source: where the scores are from.
        decomposition: terms of the KL, ``n_codes`` and ``n_images``; or
        undecomposed: why there is none.
        kl: of all dimensions, in nats.
        n_encoded: images that the KLs are averaged over.
        dimensions: the most informative first.
        values: what traversals set a continuous dimension to.
        starts: the images that traversals start from, in one row.
        reconstructions: images in the first row, their reconstructions in the second.
        samples: decoded draws from the prior, in one row.
        weights: a digest of its weights.
        starts_of_training: the processes that trained it.
    """

    name: str
    config: Mapping[str, Any]
    loss: str
    model: str
    data: str
    n_images: int
    curves: dict[str, Curve]
    scores: dict[str, Entries]
    skipped: dict[str, str]
    source: str
    decomposition: dict[str, Any] | None
    undecomposed: str
    kl: float
    n_encoded: int
    dimensions: list[Dimension]
    values: list[float]
    starts: Sheet
    reconstructions: Sheet
    samples: Sheet
    weights: str
    starts_of_training: list[Start]


def read_contents(run: Run, name: str, settings: ReportSettings) -> Contents:
    """Read and measure what a report says of a run.

    Raises:
        ValueError: an image that the data set does not have, or a damaged file.
        FileNotFoundError: training has not ended.
    """
    model, data = run.model(), run.data()
    shown = _shown_images(data, settings)
    n_starts = len(settings.images or ()) or min(_n_starts(model, data, settings), len(shown))
    codes = encode(model, data, settings)
    evaluation = read_evaluation(run.path)
    scores, skipped, source = _scores(data, codes, evaluation, settings)
    decomposition, undecomposed = _decomposition(codes, len(data), evaluation, settings)
    images = data.floats(shown)
    values = torch.linspace(-settings.reach, settings.reach, settings.n_frames).tolist()
    values = within_bounds(model.prior, values)
    shares = information_shares(data, codes, settings)
    return Contents(
        name=name,
        config=run.config,
        loss=class_name(run.config, "loss"),
        model=class_name(run.config, "model"),
        data=_data_name(run.config),
        n_images=len(data),
        curves=read_curves(run.path),
        scores=scores,
        skipped=skipped,
        source=source,
        decomposition=decomposition,
        undecomposed=undecomposed,
        kl=float(codes.kl.sum()),
        n_encoded=len(codes.indices),
        dimensions=make_dimensions(
            model, images[:n_starts], codes.kl, shares, values, read_dimension_names(run.path)
        ),
        values=values,
        starts=make_sheet(images[None, :n_starts]),
        reconstructions=make_sheet(_reconstructed(model, images)),
        samples=make_sheet(_sampled(model, settings.seed)[None]),
        weights=weights_digest(run),
        starts_of_training=read_starts(run),
    )


def _n_starts(model: LatentModel, data: ImageDataset, settings: ReportSettings) -> int:
    """How many images to traverse from, so that all traversals together are not too large."""
    numbers = model.latent_dim * settings.n_frames * math.prod(data.image_shape)
    return max(1, min(N_STARTS, MOST_NUMBERS // numbers))


def _shown_images(data: ImageDataset, settings: ReportSettings) -> Tensor:
    """The images to traverse from, and after them others to reconstruct."""
    chosen = list(settings.images or ())
    wrong = [index for index in chosen if not 0 <= index < len(data)]
    if wrong:
        raise ValueError(f"images must be from 0 to {len(data) - 1}, got {wrong[0]}")
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(settings.seed))
    others = [index for index in order[:N_RECONSTRUCTIONS].tolist() if index not in chosen]
    return torch.tensor((chosen + others)[: max(N_RECONSTRUCTIONS, len(chosen))])


def _scores(
    data: ImageDataset, codes: Codes, evaluation: Mapping[str, Any], settings: ReportSettings
) -> tuple[dict[str, Entries], dict[str, str], str]:
    """Scores of each model, why others are missing, and where they are from."""
    stored = stored_scores(evaluation)
    if stored and settings.metrics is None:
        points, preset, seed = (evaluation.get(key) for key in ("points", "preset", "seed"))
        source = f"from evaluation.json: {points} images, preset {preset}, seed {seed}"
        return stored, stored_skipped(evaluation), source
    if not isinstance(data, FactorDataset):
        return {}, {}, f"{type(data).__name__} has no factors, which every metric compares with"
    scores = measure_scores(data, codes, settings)
    n = min(settings.points, len(codes.indices))
    errors = f"errors by {settings.repeats} halves" if settings.repeats else "no standard errors"
    source = f"measured for this report: {n:,} images, {errors}, seed {settings.seed}"
    return {"trained": entries(scores)}, scores.skipped, source


def _decomposition(
    codes: Codes, n_images: int, evaluation: Mapping[str, Any], settings: ReportSettings
) -> tuple[dict[str, Any] | None, str]:
    """The decomposition, or why there is none."""
    if settings.n_codes is None and (stored := stored_decomposition(evaluation)):
        return stored, ""
    if settings.n_codes == 0:
        return None, "not asked for"
    if n_images > settings.largest_data:
        return None, (
            f"the data set has {n_images:,} images, all of which would have to be encoded, and a "
            f"report encodes {settings.largest_data:,} at most (--largest_data). `disvae evaluate "
            "RUN --decompose 1000` does it once, for all reports to come"
        )
    return measure_terms(codes, settings), ""


@torch.no_grad()
def _reconstructed(model: LatentModel, images: Tensor) -> Tensor:
    """Images, and below them their reconstructions."""
    weight = next(model.parameters())
    return torch.stack([images, model.reconstruct(images.to(weight)).to(images)])


@torch.no_grad()
def _sampled(model: LatentModel, seed: int) -> Tensor:
    return model.sample(N_SAMPLES, generator=torch.Generator().manual_seed(seed))


def _data_name(config: Mapping[str, Any]) -> str:
    """The class of the data set itself, under whatever subset or store it was trained by."""
    while isinstance(
        inner := ((config.get("data") or {}).get("init_args") or {}).get("dataset"), Mapping
    ):
        config = {"data": inner}
    return class_name(config, "data")
