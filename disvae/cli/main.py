"""The ``disvae`` command: finds the verb, and shows a user's error without a traceback."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from disvae.cli.nearest import nearest

VERBS = {
    "train": "train a model into a run directory, or go on with a run that was stopped",
    "evaluate": "measure the disentanglement of a finished run",
    "data": "list, download, check and look at the data sets",
    "export": "write the model of a finished run for other programs, or share it",
    "traverse": "draw what each latent dimension of a finished run does to an image",
}

HELP = f"""usage: disvae VERB [options]

Disentangled representation learning.

verbs:
{chr(10).join(f"  {verb:<10}{purpose}" for verb, purpose in VERBS.items())}

options:
  -h, --help  show this message; `disvae VERB --help` explains a verb's options
  --version   show the version
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments; those of the process if None.

    Returns:
        The exit status: 0, 1 if training diverged, 2 for an error of the user's, 130 if stopped
        from the keyboard.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    here = str(Path.cwd())
    if here not in sys.path:  # so that a user's own classes are found where they stand
        sys.path.append(here)
    try:
        return _run(arguments)
    except BrokenPipeError:  # whoever reads the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"disvae: error: {error}", file=sys.stderr)
        return 2
    except FloatingPointError as error:
        print(f"disvae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("disvae: stopped; the same command goes on from the checkpoint", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0 if arguments else 2
    verb = arguments[0]
    if verb == "--version":
        from disvae import __version__

        print(f"disvae {__version__}")
        return 0
    if verb not in VERBS:
        raise ValueError(f"unknown verb {verb!r}{nearest(verb, VERBS)}")
    importlib.import_module(f"disvae.cli.{verb}").run(arguments[1:])
    return 0
