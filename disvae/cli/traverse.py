"""``disvae traverse``: a picture of what each latent dimension of a finished run does."""

from collections.abc import Sequence

from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.pictures import picture_file
from disvae.cli.tables import print_json
from disvae.files import replacing
from disvae.plots.image_kinds import traversal_of
from disvae.training import load_run

DESCRIPTION = """Draw what each latent dimension of a finished run does to an image, the most
informative dimension first."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("traverse", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--image",
        type=int | None,
        default=None,
        help="index of the image to start from; the middle of the data set if not given",
    )
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        help="picture to write, its format by its ending; RUN/traversal.png if not given",
    )
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments)
    finished = load_run(options.run)
    output = picture_file(options.output, finished.path / "traversal.png")
    figure = traversal_of(finished, finished.model(), options.image)
    with replacing(output) as file:
        figure.savefig(file, format=output.suffix[1:] or "png")
    if options.json:
        print_json({"file": str(output)})
    else:
        print(f"wrote {output}")
