"""What ``disvae evaluate`` measures in nats: the parts of the KL, and bounds on log p(x)."""

from typing import Any

import torch
from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table
from torch import Tensor

from disvae.data import ImageDataset
from disvae.divergence import KLDecomposition, MeasuredDecomposition
from disvae.models import LatentModel
from disvae.training import decompose_dataset, elbo, importance_weighted_bound, reconstruction

Models = dict[str, LatentModel]


def some_images(data: ImageDataset, options: Namespace) -> Tensor:
    """The indices of the images to measure on, drawn with the seed."""
    shuffled = torch.randperm(len(data), generator=_generator(options))
    return shuffled[: options.points]


def decompositions(
    models: Models, data: ImageDataset, options: Namespace, console: Console
) -> dict[str, Any]:
    """Print the reconstruction and the three terms of the KL of each model, and return them.

    Their sum is the negative ELBO.
    """
    indices = some_images(data, options)
    errors = {
        name: reconstruction(model, data, indices, generator=_generator(options))
        for name, model in models.items()
    }
    measured = {
        name: decompose_dataset(model, data, options.decompose, generator=_generator(options))
        for name, model in models.items()
    }
    first = next(iter(measured.values()))
    title = f"nats per image: {first.n_codes} codes under {first.n_images} posteriors"
    table = Table("part of −ELBO", *measured, title=title)
    cells = (f"{error.nats:.2f} ± {error.standard_error:.2f}" for error in errors.values())
    table.add_row("reconstruction", *cells)
    for term in KLDecomposition._fields:
        table.add_row(
            term.replace("_", " "),
            *(
                f"{getattr(m.mean, term):.3f} ± {getattr(m.standard_error, term):.3f}"
                for m in measured.values()
            ),
        )
    console.print(table)
    return {
        name: {**_to_json(m), "reconstruction": errors[name]._asdict()}
        for name, m in measured.items()
    }


def _to_json(measured: MeasuredDecomposition) -> dict[str, Any]:
    parts = ("mean", "standard_error")
    terms = {part: getattr(measured, part)._asdict() for part in parts}
    numbers = {part: {k: v.item() for k, v in terms[part].items()} for part in parts}
    return {**numbers, "n_codes": measured.n_codes, "n_images": measured.n_images}


def bounds(
    models: Models, data: ImageDataset, options: Namespace, console: Console
) -> dict[str, Any]:
    """Print a bound on log p(x) for each model, and return it."""
    indices, particles = some_images(data, options), options.particles
    evidence = {}
    for name, model in models.items():
        if particles == 1:
            evidence[name] = elbo(model, data, indices, generator=_generator(options))
        else:
            evidence[name] = importance_weighted_bound(
                model, data, indices, particles, generator=_generator(options)
            )
    table = Table("bound on log p(x)", *evidence, title=f"nats per image: {len(indices)} images")
    label = "ELBO" if particles == 1 else f"{particles} particles"
    table.add_row(label, *(f"{e.bound:.2f} ± {e.standard_error:.2f}" for e in evidence.values()))
    console.print(table)
    return {name: {**e._asdict(), "particles": particles} for name, e in evidence.items()}


def _generator(options: Namespace) -> torch.Generator:
    return torch.Generator().manual_seed(options.seed)
