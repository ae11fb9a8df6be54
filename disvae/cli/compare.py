"""``disvae compare``: the scores, the costs and the traversals of several runs side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table

from disvae.cli.nats import Models, decompositions
from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.scores import show_scores
from disvae.cli.tables import as_json, print_json
from disvae.data import FactorDataset, ImageDataset
from disvae.files import replacing, write_atomically
from disvae.metrics import DegenerateCodesWarning, Scores, evaluate_model
from disvae.metrics.factor_rows import factor_rows
from disvae.metrics.presets import PRESETS, choose
from disvae.plots.choice import load_chosen
from disvae.plots.comparison import comparison_figure
from disvae.plots.dimensions import describe_run
from disvae.training import Run, load_run

DESCRIPTION = """Compare finished runs on the same data: their scores and what an image costs in
nats as one table, the dimension that stands for each factor as another, and their traversals as one
picture. Writes compare.json and compare.png."""

UNTRAINED = "untrained"


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("compare", DESCRIPTION)
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN)
    parser.add_argument(
        "--output", default=".", metavar="FOLDER", help="where to write compare.json and .png"
    )
    parser.add_argument("--points", type=int, default=10_000, help="images to measure on, at most")
    parser.add_argument("--seed", type=int, default=0, help="chooses the images and the votes")
    parser.add_argument(
        "--preset",
        default="disentanglement_lib",
        choices=list(PRESETS),
        help="whose convention the metrics follow",
    )
    parser.add_argument(
        "--metrics", metavar="A,B", default="FactorVAE score,MIG", help="which metrics, with MIG"
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=20,
        metavar="N",
        help="random halves of the samples to measure standard errors with; 0 for none",
    )
    parser.add_argument(
        "--decompose",
        type=int,
        default=500,
        metavar="CODES",
        help="decompose the KL over the runs' data set at so many codes; 0 for not at all",
    )
    parser.add_argument(
        "--image",
        type=int | None,
        default=None,
        help="index of the image that traversals start from; the middle of the data if not given",
    )
    parser.add_argument(
        "--rows", type=int, default=6, help="dimensions to draw of each run, the largest KL first"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the comparison as JSON, and nothing else"
    )
    options = parse(parser, arguments)
    console = Console(soft_wrap=True, quiet=options.json)
    runs = _named(options.runs)
    data = _common_data(runs)
    metrics = _metrics(options)
    models: Models = {name: run.model() for name, run in runs.items()}
    columns = {**models, UNTRAINED: next(iter(runs.values())).untrained_model()}
    scores = _scores(columns, data, metrics, options)
    show_scores(scores, console)
    report: dict[str, Any] = {
        "runs": {name: str(run.path) for name, run in runs.items()},
        "seed": options.seed,
        "points": min(options.points, len(data)),
        "preset": options.preset,
        "scores": {name: column.to_json() for name, column in scores.items()},
    }
    if options.decompose:
        report["decomposition"] = decompositions(columns, data, options, console)
    report["rows"] = _show_rows(scores, console)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "compare.json", as_json(report).encode())
    figure = _draw(runs, models, data, options)
    with replacing(folder / "compare.png") as file:
        figure.savefig(file)
    if options.json:
        print_json(report)
    else:
        print(f"wrote {folder / 'compare.png'} and {folder / 'compare.json'}")


def _named(folders: Sequence[str]) -> dict[str, Run]:
    """Open the runs, named by their folders' last parts where these differ."""
    paths = [Path(folder) for folder in folders]
    short = [path.resolve().name for path in paths]
    distinct = len(set(short)) == len(short) and UNTRAINED not in short
    names = short if distinct else [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f"a run is given twice: {', '.join(names)}")
    return {name: load_run(path) for name, path in zip(names, paths, strict=True)}


def _common_data(runs: Mapping[str, Run]) -> FactorDataset:
    """The data set of all runs; of random subsets (``--n_images``) that of the first.

    Raises:
        ValueError: if two runs have different ones, or there are no factors.
    """
    first, *others = runs
    config = _whole(runs[first].config["data"])
    for other in others:
        if _whole(runs[other].config["data"]) != config:
            raise ValueError(
                f"{first} and {other} were trained on different data: compare runs on the same, "
                "or see them apart by disvae evaluate"
            )
    data: ImageDataset = runs[first].data()
    if not isinstance(data, FactorDataset):
        raise ValueError(
            f"{type(data).__name__} has no factors, which every metric compares codes with: "
            "disvae report RUN RUN shows such runs beside one another"
        )
    return data


def _whole(config: Any) -> Any:
    """The data set that a random subset was drawn from."""
    subset = config and config["class_path"].endswith(".RandomFactorSubset")
    return config["init_args"]["dataset"] if subset else config


def _metrics(options: Namespace) -> list[str]:
    names = [name.strip() for name in options.metrics.split(",")]
    choose(names, options.preset)  # a mistake is said before any work
    if "MIG" not in names:
        raise ValueError(f"--metrics {options.metrics} lacks MIG, from which the rows are found")
    if options.points < 2:
        raise ValueError(f"--points must be at least 2, got {options.points}")
    return names


def _scores(
    models: Models, data: FactorDataset, metrics: Sequence[str], options: Namespace
) -> dict[str, Scores]:
    settings = {"preset": options.preset, "repeats": options.repeats, "progress": False}
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # said below the table
        return {
            name: evaluate_model(
                model, data, n=options.points, seed=options.seed, metrics=metrics, **settings
            )
            for name, model in models.items()
        }


def _show_rows(scores: Mapping[str, Scores], console: Console) -> dict[str, Any]:
    """Print the dimension that stands for each factor in each model, and return the same."""
    skipped = next(iter(scores.values())).skipped
    if "MIG" in skipped:
        raise ValueError(f"the MIG, from which the rows are found, fails: {skipped['MIG']}")
    rows = {name: factor_rows(columns["MIG"]) for name, columns in scores.items()}
    title = "the dimension of each factor: its share of the factor, its lead over other factors"
    table = Table("factor", *rows, title=title)
    for factor in next(iter(rows.values())):
        cells = (found[factor] for found in rows.values())
        table.add_row(factor, *(f"z{r.dimension} {r.share:4.0%} {r.lead:5.1f}x" for r in cells))
    console.print(table)
    return {
        name: {factor: row._asdict() for factor, row in found.items()}
        for name, found in rows.items()
    }


def _draw(runs: Mapping[str, Run], models: Models, data: FactorDataset, options: Namespace) -> Any:
    index = len(data) // 2 if options.image is None else options.image
    x = load_chosen(data, 1, [index], seed=0)[0]
    shown = {name: (model, describe_run(runs[name], model, data)) for name, model in models.items()}
    return comparison_figure(shown, x, options.rows)
