"""The ``disvae`` command: finds the verb, and shows a user's error without a traceback."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from disvae.cli.nearest import nearest
from disvae.trust import trusting

VERBS = {
    "train": "train a model into a run directory, or go on with a run that was stopped",
    "evaluate": "measure the disentanglement of a finished run",
    "compare": "put the scores and traversals of several runs side by side",
    "sample": "draw new images from a finished run's model",
    "encode": "write the codes of a run's images, or of your own",
    "recipe": "list and show the experiments that train runs by name",
    "data": "list, download, check and look at the data sets",
    "report": "write one HTML page of a finished run, or of several beside one another",
    "export": "write the model of a finished run for other programs, or share it",
    "import": "make a run directory of a model that disentangling-vae has trained",
    "traverse": "draw what each latent dimension of a finished run does to an image",
    "completion": "print the script by which a shell completes commands",
    "explore": "move the latent dimensions of a finished run by sliders, in the browser",
    "plot": "draw pictures of a finished run: samples, traversals, animations",
}

HELP = f"""usage: disvae VERB [options]

Disentangled representation learning.

verbs:
{chr(10).join(f"  {verb:<12}{purpose}" for verb, purpose in VERBS.items())}

options:
  -h, --help  show this message; `disvae VERB --help` explains a verb's options
  --version   show the version
  --trust M   of any verb: let a run that is not yours name the code of module M

exit status:
  0 done, 1 training diverged, 2 a mistake in the command or a file (said in one line),
  130 stopped from the keyboard, 143 stopped by SIGTERM; training has saved its state then

`disvae completion bash` or `zsh` says how a shell learns to complete all this.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments; those of the process if None.

    Returns:
        The exit status: 0, 1 if training diverged, 2 for an error of the user's, 130 if stopped
        from the keyboard. SIGTERM ends training by ``SystemExit`` with 143.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    here = str(Path.cwd())
    if arguments[:1] == ["train"] and here not in sys.path:
        sys.path.append(here)  # so that a user's own classes are found where they stand
    try:
        return _run(arguments)
    except BrokenPipeError:  # whoever reads the output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ValueError as error:
        print(f"disvae: error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"disvae: error: {_said(error)}", file=sys.stderr)
        return 2
    except TypeError as error:
        from disvae.losses import UnsuitableError

        if not isinstance(error, UnsuitableError):
            raise
        print(f"disvae: error: {error}", file=sys.stderr)
        return 2
    except FloatingPointError as error:
        print(f"disvae: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("disvae: stopped", file=sys.stderr)
        return 130


def _said(error: OSError) -> str:
    """What is wrong with which file, without the system's number for it."""
    if error.strerror is None:  # a sentence of ours
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


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
    trust, rest = _trust(arguments[1:])
    with trusting(trust):
        importlib.import_module(f"disvae.cli.{verb}").run(rest)
    return 0


def _trust(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What is to be trusted, by ``--trust NAME`` of any verb, and the arguments without it."""
    trust, rest = [], []
    waiting = iter(arguments)
    for word in waiting:
        option, equals, name = word.partition("=")
        if option != "--trust":
            rest.append(word)
        elif name := name if equals else next(waiting, ""):
            trust.append(name)
        else:
            raise ValueError("--trust needs the import path of a package, a module or a class")
    return trust, rest
