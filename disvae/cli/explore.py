"""``disvae explore``: a web page with a slider for each latent dimension of a finished run."""

from collections.abc import Sequence

from disvae.cli.parsing import RUN, make_parser, parse

DESCRIPTION = """Explore a finished run in the browser: a slider for each latent dimension, from an
image of the data set or one's own, and between two images. Runs until stopped by Ctrl-C."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("explore", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; others than this machine can use the page only if it says so",
    )
    parser.add_argument("--port", type=int, default=7860, help="port; 0 for any that is free")
    parser.add_argument("--open_browser", action="store_true", help="also open the page")
    options = parse(parser, arguments)

    from disvae.explore import serve

    serve(options.run, options.host, options.port, options.open_browser)
