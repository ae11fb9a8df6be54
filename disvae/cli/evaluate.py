"""``disvae evaluate``: every metric of a finished run, as a table and as JSON."""

import json
from collections.abc import Sequence
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from disvae.cli.parsing import make_parser, parse
from disvae.data import FactorDataset
from disvae.metrics import Scores, evaluate
from disvae.training import encode_dataset, load_run
from disvae.training.files import write_atomically

DESCRIPTION = """Measure the disentanglement of a finished run: the posterior means of some images
of its data set against their factors. Prints a table and writes RUN/evaluation.json."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("evaluate", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="run directory")
    parser.add_argument("--points", type=int, default=10_000, help="images to measure on, at most")
    parser.add_argument("--seed", type=int, default=0, help="chooses the images and the votes")
    parser.add_argument(
        "--untrained",
        action="store_true",
        help="also measure the same network with fresh weights, on the same images",
    )
    options = parse(parser, arguments)
    if options.points < 1:
        raise ValueError(f"--points must be at least 1, got {options.points}")
    finished = load_run(options.run)
    models = {"trained": finished.model()}
    if options.untrained:
        models["untrained"] = finished.untrained_model()
    data = finished.data()
    if not isinstance(data, FactorDataset):
        raise ValueError(
            f"{type(data).__name__} has no factors, which every metric compares codes with: "
            "evaluate a run on a data set such as Sprites"
        )
    shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(options.seed))
    indices = shuffled[: options.points]
    settings: dict[str, Any] = {"seed": options.seed, "names": data.space.names}
    scores = {
        name: evaluate(encode_dataset(model, data, indices), data.factors(indices), **settings)
        for name, model in models.items()
    }
    Console().print(_table(scores))
    report: dict[str, Any] = {"points": len(indices), "seed": options.seed}
    report |= {name: columns.to_json() for name, columns in scores.items()}
    write_atomically(finished.path / "evaluation.json", json.dumps(report, indent=2).encode())


def _table(scores: dict[str, Scores]) -> Table:
    table = Table("metric", *scores)
    for metric in next(iter(scores.values())):
        table.add_row(metric, *(f"{column[metric]:.3f}" for column in scores.values()))
    return table
