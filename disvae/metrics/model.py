"""Metrics of a model on a data set."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution, Normal

from disvae.data import FactorDataset
from disvae.data.encode import encode_posteriors
from disvae.data.files import DAMAGE
from disvae.divergence import MixedDistribution
from disvae.divergence.parameters import parameters_of
from disvae.files import write_atomically
from disvae.metrics.arrays import CannotComputeError
from disvae.metrics.evaluate import evaluate
from disvae.metrics.posterior_aam import posterior_aam
from disvae.metrics.posterior_mig import posterior_mig
from disvae.metrics.presets import Metric
from disvae.metrics.score import Scores
from disvae.models import LatentModel


def evaluate_model(
    model: LatentModel,
    data: FactorDataset,
    *,
    n: int = 10_000,
    seed: int = 0,
    metrics: Mapping[str, Metric] | Sequence[str] | None = None,
    preset: str = "default",
    repeats: int = 0,
    batch_size: int = 256,
    cache: Path | str | None = None,
    progress: bool = True,
) -> Scores:
    """Encode images of a data set once, and compute metrics of their codes.

    The model says which of its dimensions are discrete.

    Args:
        model: the model, on whatever device; it is not switched to evaluation mode.
        data: images with factors.
        n: how many images, drawn without replacement; all if there are no more.
        seed: chooses the images, and is given to every metric.
        metrics: as for :func:`disvae.metrics.evaluate`; if None also those of the posteriors.
        preset: as there.
        repeats: as there.
        batch_size: images encoded at once.
        cache: an .npz file to keep the codes in; read instead of encoding if it holds those of the
            same images by the same weights, and written otherwise.
        progress: show progress bars.

    Returns:
        The scores by name.

    Raises:
        ValueError: ``n`` is below 2, or see :func:`disvae.metrics.evaluate`.
    """
    indices = some_indices(data, n, seed)
    posterior = encode_once(model, data, indices, cache, batch_size, progress)
    factors, names = data.factors(indices), data.space.names
    scores = evaluate(
        posterior.loc,
        factors,
        seed=seed,
        names=names,
        discrete=model.discrete,
        metrics=metrics,
        preset=preset,
        repeats=repeats,
        progress=progress,
    )
    if metrics is None:
        for metric in (posterior_mig, posterior_aam):
            try:
                score = metric(posterior, factors, names=names)
                scores[score.name] = score
            except CannotComputeError as error:
                scores.skipped[metric.__name__] = str(error)
    return scores


def some_indices(data: FactorDataset, n: int, seed: int) -> Tensor:
    """``n`` images without replacement, in their order; all if there are no more.

    Raises:
        ValueError: ``n`` is below 2.
    """
    if n < 2:
        raise ValueError(f"expected n of 2 images at least, got {n}")
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return order[:n].sort().values


def encode_once(
    model: LatentModel,
    data: FactorDataset,
    indices: Tensor,
    cache: Path | str | None = None,
    batch_size: int = 256,
    progress: bool = True,
) -> Any:
    """The posteriors of some images, from a file if it has them."""
    if cache is None:
        return encode_posteriors(model, data, indices, batch_size, progress)
    path, key = Path(cache), _key(model, data, indices)
    found = _read(path, key)
    if found is None:
        found = encode_posteriors(model, data, indices, batch_size, progress)
        buffer = io.BytesIO()
        np.savez(buffer, key=key, **_as_arrays(found))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, buffer.getvalue())
    return found


def _key(model: LatentModel, data: FactorDataset, indices: Tensor) -> str:
    """A digest of the weights, the images that are meant, and some of their bytes."""
    digest = hashlib.sha256(repr((type(model).__name__, type(data).__name__, len(data))).encode())
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    digest.update(indices.numpy().tobytes())
    digest.update(data.images(indices[:: max(1, len(indices) // 16)]).numpy().tobytes())
    return digest.hexdigest()


def _as_arrays(posterior: Distribution) -> dict[str, Any]:
    """A posterior as a file has it: mean, std, and the logits of categorical dimensions."""
    parameters = {name: value.numpy() for name, value in parameters_of(posterior).items()}
    return {"mean": parameters.pop("loc"), "std": parameters.pop("scale"), **parameters}


def _read(path: Path, key: str) -> Any:
    """The posteriors in the file, if it is there, whole, and of this key."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["key"]) == key:
                mean, std = torch.from_numpy(file["mean"]), torch.from_numpy(file["std"])
                normal = Normal(mean, std, validate_args=False)
                names = [name for name in file.files if name.startswith("logits_")]
                logits = [torch.from_numpy(file[name]) for name in names]
                return MixedDistribution(normal, logits) if logits else normal
    except DAMAGE:  # absent or damaged: encoded again
        pass
    return None
