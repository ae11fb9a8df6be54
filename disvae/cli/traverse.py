"""``disvae traverse``: a picture of what each latent dimension of a finished run does."""

from collections.abc import Sequence
from pathlib import Path

import torch

from disvae.cli.parsing import make_parser, parse
from disvae.divergence.bounded import within_bounds
from disvae.plots import describe_run, traversal_figure
from disvae.plots.traversals import VALUES
from disvae.training import load_images, load_run

DESCRIPTION = """Draw what each latent dimension of a finished run does to an image, the most
informative dimension first."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("traverse", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help="run directory")
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
    options = parse(parser, arguments)
    finished = load_run(options.run)
    model, data = finished.model(), finished.data()
    index = len(data) // 2 if options.image is None else options.image
    if not 0 <= index < len(data):
        raise ValueError(f"--image must be from 0 to {len(data) - 1}, got {index}")
    known = describe_run(finished, model, data)
    x = load_images(data, torch.tensor([index]))[0]
    values = within_bounds(model.prior, VALUES)
    figure = traversal_figure(model, x, known.kl, values, known.called)
    output = Path(options.output or finished.path / "traversal.png")
    figure.savefig(output)
    print(f"wrote {output}")
