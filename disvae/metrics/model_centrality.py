"""ModelCentrality: which of several models agrees best with the others."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from disvae.divergence import kl_per_dimension
from disvae.metrics.arrays import Arrays, check_codes
from disvae.metrics.score import Score
from disvae.metrics.votes import SampleGroups, VoteCounts, least, vote
from disvae.models import LatentModel


@torch.no_grad()
def model_centrality(
    models: Sequence[LatentModel],
    images: Float[Tensor, "n channels height width"],
    *,
    seed: int = 0,
    groups: int = 20,
    samples_per_vote: int = 64,
    votes: int = 800,
    min_kl: float = 0.01,
    progress: bool = True,
) -> list[Score]:
    """How well each model's codes are told apart by the others', without labels.

    For two models i and j: decode codes from the prior with model i, in groups that share the value
    of one of its dimensions, encode the images with model j, and compute the FactorVAE score of
    these codes for the dimensions of i as factors. The score of a model is the mean over the others
    of both directions. A model that found the factors that most others found is central; so it
    needs a pool in which good models are alike.

    Args:
        models: two or more, on whatever device; they are not switched to evaluation mode.
        images: some images, to tell which dimensions of a model are in use.
        seed: of the codes and the votes.
        groups: for each dimension.
        samples_per_vote: images in each group.
        votes: to learn which dimension stands for which, and as many to score.
        min_kl: dimensions with a smaller mean KL to the prior, in nats, are not in use.
        progress: show a progress bar.

    Returns:
        A score for each model, from 0 to 1; ``details``: ``scores`` (the FactorVAE score of each
        other model's codes for its own dimensions, None for itself), ``dimensions`` in use. For a
        model with fewer than two dimensions in use there is nothing to tell apart: it has 0.

    Raises:
        ValueError: fewer than 2 models, no images, or numbers below 1.

    Reference:
        InfoGAN-CR and ModelCentrality, Lin et al. 2020, https://arxiv.org/abs/1906.06034,
        section 5.
    """
    counts = VoteCounts(votes, votes, samples_per_vote)
    if len(models) < 2 or len(images) == 0 or groups < 1:
        raise ValueError(
            "expected 2 models, 1 image and 1 group at least, got "
            f"{len(models)}, {len(images)} and {groups}"
        )
    n = len(models)
    table = np.full((n, n), np.nan)
    used = [_in_use(model, images, min_kl) for model in models]
    with tqdm(total=n, unit="model", disable=not progress) as bar:
        for i, (model, dimensions) in enumerate(zip(models, used, strict=True)):
            generator = torch.Generator().manual_seed(seed + i)
            pictures, keys = _decode(model, dimensions, groups, samples_per_vote, generator)
            for j in (j for j in range(n) if j != i):
                table[i, j] = _agreement(models[j], pictures, keys, dimensions, counts, seed)
            bar.update()
    both = (table + table.T) / 2
    scores = []
    for i in range(n):
        row = [None if np.isnan(value) else float(value) for value in table[i]]
        details = {"scores": row, "dimensions": used[i].tolist()}
        scores.append(Score(float(np.nanmean(both[i])), "ModelCentrality", details=details))
    return scores


def _in_use(model: LatentModel, images: Tensor, min_kl: float) -> NDArray[np.int64]:
    posterior = model.encode(images.to(next(model.parameters())))
    kl = kl_per_dimension(posterior, model.prior).double().mean(dim=0)
    return np.flatnonzero(kl.cpu().numpy() > min_kl)


def _decode(
    model: LatentModel,
    dimensions: NDArray[np.int64],
    groups: int,
    size: int,
    generator: torch.Generator,
) -> tuple[list[Tensor], list[NDArray[np.int64]]]:
    """Images of codes that share a dimension in groups; and, for each dimension, their groups."""
    weight = next(model.parameters())
    total = len(dimensions) * groups * size
    pictures, keys = [], []
    for place, dimension in enumerate(dimensions):
        z = model.draw(groups * size, generator).unflatten(0, (groups, size))
        z[:, :, dimension] = z[:, :1, dimension]
        for part in z.flatten(0, 1).to(weight).split(1024):
            pictures.append(model.likelihood.mean(model.decode(part)).cpu())
        key = np.arange(total) + groups  # those of other dimensions are alone
        mine = slice(place * groups * size, (place + 1) * groups * size)
        key[mine] = np.repeat(np.arange(groups), size)
        keys.append(key)
    return pictures, keys


def _agreement(
    model: LatentModel,
    pictures: list[Tensor],
    keys: list[NDArray[np.int64]],
    dimensions: NDArray[np.int64],
    counts: VoteCounts,
    seed: int,
) -> float:
    if len(dimensions) < 2:
        return 0.0
    weight = next(model.parameters())
    codes = torch.cat([model.represent(x.to(weight)).float().cpu() for x in pictures])
    names = tuple(f"dimension {j}" for j in dimensions)
    none = np.zeros((len(codes), 0), dtype=np.int64)
    arrays = Arrays(check_codes(codes).codes, none, names, model.discrete)
    drawn = [SampleGroups(key, name) for key, name in zip(keys, names, strict=True)]
    return float(vote(arrays, drawn, least, counts, arrays.live, seed, "FactorVAE score"))
