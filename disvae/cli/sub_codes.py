"""What ``disvae evaluate --parts`` measures: what each part of the code tells of what is known."""

from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from jsonargparse import Namespace
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from disvae.cli.nats import Models, some_images
from disvae.data import FactorDataset, ImageDataset
from disvae.data.groups import labels_of
from disvae.divergence import draw
from disvae.divergence.mixed import MixedDistribution
from disvae.metrics import DegenerateCodesWarning, leakage
from disvae.training import encode_posteriors


def read_part(text: str, latent_dim: int) -> list[int]:
    """The dimensions that ``FIRST:END`` names, as a slice does.

    Raises:
        ValueError: it is no such part of the code.

    Example:
        >>> read_part("8:", 10)
        [8, 9]
    """
    first, colon, end = text.partition(":")
    try:
        chosen = list(range(int(first or 0), int(end or latent_dim)))
    except ValueError:
        chosen = []
    if not colon or not chosen or chosen[0] < 0 or chosen[-1] >= latent_dim:
        raise ValueError(
            f"--parts takes FIRST:END within 0:{latent_dim}, such as 0:{max(1, latent_dim // 2)}, "
            f"got {text!r}"
        )
    return chosen


def sub_codes(
    models: Models,
    data: ImageDataset,
    parts: dict[str, list[int]],
    options: Namespace,
    console: Console,
) -> dict[str, Any]:
    """Print the accuracies of a classifier of each part of each model's code, and return them."""
    indices = some_images(data, options)
    known, names = _known(data, indices)
    found: dict[str, Any] = {}
    for name, model in models.items():
        posterior = encode_posteriors(model, data, indices)
        drawn = draw(posterior, 1, torch.Generator().manual_seed(options.seed))[0]
        if isinstance(posterior, MixedDistribution):
            drawn = posterior.codes(drawn)
        codes = {"mean": posterior.loc, "draw": drawn}
        found[name] = {
            text: {kind: _accuracies(z, known, part, names, options) for kind, z in codes.items()}
            for text, part in parts.items()
        }
        console.print(_table(name, found[name]))
    return found


def _accuracies(
    codes: Tensor, known: NDArray[np.int64], part: list[int], names: list[str], options: Namespace
) -> dict[str, Any]:
    """Of each thing that is known: on images that were learned from, on others, and by chance."""
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # chance is what the table says then
        score = leakage(codes, known, dimensions=part, seed=options.seed, names=names)
    return {
        name: {
            "train": score.details["train_accuracy"][name],
            "test": accuracy,
            "chance": score.details["chance"][name],
        }
        for name, accuracy in score.per_factor.items()
    }


def _known(data: ImageDataset, indices: Tensor) -> tuple[NDArray[np.int64], list[str]]:
    """What is known of the images, (n, columns), and its names."""
    if isinstance(data, FactorDataset):
        return data.factors(indices).numpy(), list(data.space.names)
    return labels_of(data, indices).numpy()[:, None], ["label"]


def _table(name: str, parts: dict[str, Any]) -> Table:
    title = f"{name}: accuracy from a part of the code, on images that were learned from and others"
    table = Table("dimensions", "codes", "of", "train", "test", "chance", title=title)
    for text, kinds in parts.items():
        for kind, known in kinds.items():
            for of, row in known.items():
                shares = (f"{row[column]:.1%}" for column in ("train", "test", "chance"))
                table.add_row(text, kind, of.replace("_", " "), *shares)
    return table
