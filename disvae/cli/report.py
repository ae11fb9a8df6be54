"""``disvae report``: one HTML file that shows a finished run, or several beside one another."""

from collections.abc import Sequence

from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.tables import print_json
from disvae.plots import ReportSettings, write_report

DESCRIPTION = """Write one HTML file that shows a finished run: curves, scores, traversals with
sliders, reconstructions, samples, the KL of each dimension and its decomposition, configuration and
provenance. It needs no network and no other file. Several runs are shown beside one another."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    usual = ReportSettings()
    parser = make_parser("report", DESCRIPTION)
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN)
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        metavar="FILE",
        help="file to write; if not given RUN/report.html, or report.html here for several runs",
    )
    parser.add_argument(
        "--metrics",
        type=str | None,
        default=None,
        metavar="A,B",
        help='metrics to compute, such as "MIG,DCI"; if not given, the scores that `disvae '
        "evaluate` left, or without them a set that takes seconds",
    )
    parser.add_argument(
        "--points", type=int, default=usual.points, help="images to measure on, at most"
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=usual.repeats,
        metavar="N",
        help="random halves of the samples to measure standard errors with; 0 for none",
    )
    parser.add_argument(
        "--decompose",
        type=int | None,
        default=None,
        metavar="CODES",
        help="decompose the KL over the whole data set at so many codes, 0 for not at all; if not "
        "given, what `disvae evaluate` left, or without it 500",
    )
    parser.add_argument(
        "--largest_data",
        type=int,
        default=usual.largest_data,
        metavar="N",
        help="images above which a data set is not decomposed, since all are encoded",
    )
    parser.add_argument(
        "--images",
        type=list[int] | None,
        default=None,
        help="indices of the images to traverse from, such as [0,17]; four by chance if not given",
    )
    parser.add_argument(
        "--n_frames", type=int, default=usual.n_frames, help="values that each slider has"
    )
    parser.add_argument(
        "--reach", type=float, default=usual.reach, help="traverse from -REACH to REACH"
    )
    parser.add_argument("--seed", type=int, default=usual.seed, help="chooses images and votes")
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments).as_dict()
    runs, output, as_json = (options.pop(name) for name in ("runs", "output", "json"))
    options["n_codes"] = options.pop("decompose")
    if options["metrics"] is not None:
        options["metrics"] = [name.strip() for name in options["metrics"].split(",")]
    if output is None and len(runs) > 1:
        output = "report.html"
    file = write_report(runs, output, ReportSettings(**options))
    if as_json:
        print_json({"file": str(file), "runs": runs})
    else:
        print(f"wrote {file} ({file.stat().st_size / 1e6:.1f} MB)")
