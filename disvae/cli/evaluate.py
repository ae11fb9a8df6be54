"""``disvae evaluate``: every metric of a finished run, as a table and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from jsonargparse import Namespace
from rich.console import Console

from disvae.cli.nats import Models, bounds, decompositions
from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.scores import show_scores
from disvae.cli.sub_codes import read_part, sub_codes
from disvae.cli.tables import as_json, print_json, read_factors, read_table
from disvae.data import FactorDataset
from disvae.files import replacing, write_atomically
from disvae.metrics import (
    PRESETS,
    DegenerateCodesWarning,
    Scores,
    evaluate,
    evaluate_model,
)
from disvae.metrics.presets import choose
from disvae.plots import information_figure, summary_figure
from disvae.training import load_run

DESCRIPTION = """Measure the disentanglement of a finished run: the posterior means of some images
of its data set against their factors; and what the model costs in nats, if asked for. Prints
tables, writes RUN/evaluation.json and draws RUN/evaluation.png and RUN/information.png. Or measure
codes that any program made, by --codes and --factors, and write these where you are."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("evaluate", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", nargs="?", help=RUN)
    parser.add_argument(
        "--codes",
        metavar="FILE",
        help="codes, a row per sample: .npy, .npz[:NAME], .csv[:COLUMN,COLUMN], .h5[:NAME]",
    )
    parser.add_argument(
        "--factors",
        metavar="FILE",
        help="their factors, a row per sample, numbers or words: the same kinds of file",
    )
    parser.add_argument(
        "--discrete",
        type=list[int],
        default=[],
        metavar="[J,K]",
        help="dimensions of --codes that hold numbers of categories; a run's model says it itself",
    )
    parser.add_argument("--points", type=int, default=10_000, help="images to measure on, at most")
    parser.add_argument("--seed", type=int, default=0, help="chooses the images and the votes")
    parser.add_argument(
        "--preset",
        default="default",
        choices=list(PRESETS),
        help="whose convention the metrics follow",
    )
    parser.add_argument(
        "--metrics", metavar="A,B", help='only these, such as "MIG,DCI", instead of all'
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        metavar="N",
        help="random halves of the samples to measure standard errors with (20 say)",
    )
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
    parser.add_argument(
        "--parts",
        nargs="+",
        default=[],
        metavar="A:B",
        help="also the accuracies of a classifier of each part of the code, dimensions A to B - 1, "
        "on images that it learned from and on others; where there are no factors, of the label",
    )
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON, and nothing else"
    )
    options = parse(parser, arguments)
    if options.points < 2:
        raise ValueError(f"--points must be at least 2, got {options.points}")
    console = Console(soft_wrap=True, quiet=options.json)
    from_files = options.run is None or options.codes or options.factors
    report = (_evaluate_files if from_files else _evaluate_run)(options, console)
    if options.json:
        print_json(report)


def _evaluate_files(options: Namespace, console: Console) -> dict[str, Any]:
    if options.run is not None or not (options.codes and options.factors):
        raise ValueError("give either a run directory, or both --codes FILE and --factors FILE")
    codes, _ = read_table(options.codes)
    factors, names = read_factors(options.factors)
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # said below the table
        scores = evaluate(
            codes,
            factors,
            names=names,
            discrete=options.discrete,
            progress=True,
            **_settings(options),
        )
    show_scores({"score": scores}, console)
    report: dict[str, Any] = {"seed": options.seed, "points": len(codes)}
    report["preset"] = options.preset
    report |= {"scores": scores.to_json(), "skipped": scores.skipped}
    write_atomically(Path("evaluation.json"), as_json(report).encode())
    _draw({"score": scores}, Path())
    return report


def _evaluate_run(options: Namespace, console: Console) -> dict[str, Any]:
    finished = load_run(options.run)
    models = {"trained": finished.model()}
    if options.untrained:
        models["untrained"] = finished.untrained_model()
    data = finished.data()
    _settings(options)  # a mistake is said before any work
    parts = {text: read_part(text, models["trained"].latent_dim) for text in options.parts}
    report: dict[str, Any] = {"seed": options.seed}
    if isinstance(data, FactorDataset):
        report |= _scores(models, data, finished.path, options, console)
    elif options.decompose == options.particles == 0 and not parts:
        raise ValueError(
            f"{type(data).__name__} has no factors, which every metric compares codes with: "
            "evaluate a run on a data set such as Sprites, or ask for --decompose, --particles or, "
            "if it has labels, --parts"
        )
    if options.decompose:
        report["decomposition"] = decompositions(models, data, options, console)
    if options.particles:
        report["evidence"] = bounds(models, data, options, console)
    if parts:
        report["parts"] = sub_codes(models, data, parts, options, console)
    write_atomically(finished.path / "evaluation.json", as_json(report).encode())
    return report


def _settings(options: Namespace) -> dict[str, Any]:
    """What all ways of evaluating share."""
    metrics = [name.strip() for name in options.metrics.split(",")] if options.metrics else None
    choose(metrics, options.preset)  # refuses a wrong name
    return {
        "seed": options.seed,
        "metrics": metrics,
        "preset": options.preset,
        "repeats": options.repeats,
    }


def _scores(
    models: Models, data: FactorDataset, folder: Path, options: Namespace, console: Console
) -> dict[str, Any]:
    """Print the metrics of each model, and return what the report has of them."""
    scores = {}
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # said below the table
        for name, model in models.items():
            cache = folder / f"codes-{name}.npz"
            scores[name] = evaluate_model(
                model, data, n=options.points, cache=cache, **_settings(options)
            )
    show_scores(scores, console)
    _draw(scores, folder)
    report: dict[str, Any] = {"points": min(options.points, len(data)), "preset": options.preset}
    report["skipped"] = next(iter(scores.values())).skipped
    return report | {name: s.to_json() for name, s in scores.items()}


def _draw(scores: dict[str, Scores], folder: Path) -> None:
    """Write the scores as bars, and what each dimension knows, as pictures."""
    if any(scores.values()):
        with replacing(folder / "evaluation.png") as file:
            summary_figure(scores).savefig(file)
    for columns in scores.values():
        if "MIG" in columns:
            with replacing(folder / "information.png") as file:
                information_figure(columns["MIG"]).savefig(file)
            return  # the first model's, the trained one
