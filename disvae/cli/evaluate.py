"""``disvae evaluate``: every metric of a finished run, as a table and as JSON."""

import json
import math
from collections.abc import Sequence
from typing import Any
from warnings import catch_warnings, simplefilter

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table

from disvae.cli.nats import Models, bounds, decompositions, some_images
from disvae.cli.parsing import make_parser, parse
from disvae.data import FactorDataset
from disvae.metrics import DegenerateCodesWarning, Scores, evaluate
from disvae.training import encode_dataset, load_run
from disvae.training.files import write_atomically

DESCRIPTION = """Measure the disentanglement of a finished run: the posterior means of some images
of its data set against their factors; and what the model costs in nats, if asked for. Prints
tables and writes RUN/evaluation.json."""


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
    parser.add_argument(
        "--decompose",
        type=int,
        default=0,
        metavar="CODES",
        help="also decompose the KL over the run's whole data set, at so many codes (1000 say)",
    )
    parser.add_argument(
        "--particles",
        type=int,
        default=0,
        metavar="K",
        help="also bound log p(x) of the images, by so many codes each: 1 for the ELBO, 5000 for "
        "the bound of FactorVAE's paper, whose cost grows with them",
    )
    options = parse(parser, arguments)
    if options.points < 1:
        raise ValueError(f"--points must be at least 1, got {options.points}")
    finished = load_run(options.run)
    models = {"trained": finished.model()}
    if options.untrained:
        models["untrained"] = finished.untrained_model()
    data = finished.data()
    console = Console(soft_wrap=True)
    report: dict[str, Any] = {"seed": options.seed}
    if isinstance(data, FactorDataset):
        report |= _scores(models, data, options, console)
    elif options.decompose == options.particles == 0:
        raise ValueError(
            f"{type(data).__name__} has no factors, which every metric compares codes with: "
            "evaluate a run on a data set such as Sprites, or ask for --decompose or --particles"
        )
    if options.decompose:
        report["decomposition"] = decompositions(models, data, options, console)
    if options.particles:
        report["evidence"] = bounds(models, data, options, console)
    write_atomically(finished.path / "evaluation.json", json.dumps(report, indent=2).encode())


def _scores(
    models: Models, data: FactorDataset, options: Namespace, console: Console
) -> dict[str, Any]:
    """Print the metrics of each model, and return what the report has of them."""
    indices = some_images(data, options)
    factors = data.factors(indices)
    scores = {}
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # said below the table
        for name, model in models.items():
            codes = encode_dataset(model, data, indices)
            scores[name] = evaluate(codes, factors, seed=options.seed, names=data.space.names)
    console.print(_table(scores))
    for name, columns in scores.items():
        if note := _about_codes(columns):
            console.print(f"note: {name}: {note}", highlight=False)
    return {"points": len(indices)} | {name: s.to_json() for name, s in scores.items()}


def _table(scores: dict[str, Scores]) -> Table:
    """A row per metric and, below it, per factor; a column per model."""
    table = Table("metric", *scores)
    columns = list(scores.values())
    for metric, first in columns[0].items():
        table.add_row(metric, *(f"{column[metric]:.3f}" for column in columns), style="bold")
        for factor in first.per_factor:
            values = (column[metric].per_factor.get(factor, math.nan) for column in columns)
            table.add_row(f"  {factor}", *(f"{value:.3f}" for value in values))
    return table


def _about_codes(scores: Scores) -> str | None:
    """What a reader of the table should know of the codes, since metrics ignore their scale."""
    details = next(iter(scores.values())).details
    largest = max(details["code_std"])
    if largest == 0:
        return "the codes are constant: the scores are chance"
    if details["nearly_constant"]:
        return (
            f"the codes are nearly constant (largest standard deviation {largest:.2g}); "
            "the metrics score them like any others"
        )
    return None
