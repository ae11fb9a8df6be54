"""Parsing of options, and of names of classes."""

import re
from argparse import ArgumentError
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from disvae.cli.choices import choices
from disvae.cli.nearest import nearest

# The help of every RUN that is read.
RUN = "run directory, or a pretrained model such as sprites-beta-tcvae"


def make_parser(verb: str, description: str, usage: str | None = None) -> ArgumentParser:
    """The parser of one verb."""
    return ArgumentParser(
        prog=f"disvae {verb}", description=description, usage=usage, exit_on_error=False
    )


def choose_below(
    verb: str, arguments: Sequence[str], below: Mapping[str, str], note: str = ""
) -> tuple[str, ArgumentParser]:
    """The verb below ``disvae VERB`` that the first argument names, and its parser.

    Args:
        verb: such as "data".
        arguments: of the verb.
        below: the verbs below it, and what each is for.
        note: lines for the help of the verb.

    Raises:
        ValueError: there is no such verb; the message names the nearest.
        SystemExit: the help was asked for, as the parsers of verbs raise it, or nothing was.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        verbs = "\n".join(f"  {name:<10}{text}" for name, text in below.items())
        more = f"{note}`disvae {verb} VERB --help` explains a verb's options."
        print(f"usage: disvae {verb} VERB [options]\n\nverbs:\n{verbs}\n\n{more}")
        raise SystemExit(0 if arguments else 2)
    name = arguments[0]
    if name not in below:
        raise ValueError(f"unknown verb {name!r} of disvae {verb}{nearest(name, below)}")
    return name, make_parser(f"{verb} {name}", below[name])


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> Namespace:
    """Parse a verb's arguments.

    Raises:
        ValueError: an unknown option (the message names the nearest) or a wrong value.
    """
    for action in parser._actions:  # docstrings are written for Sphinx
        if action.help:
            action.help = re.sub(r":\w+:`~?([^`]*)`", r"\1", action.help).replace("``", "")
    try:
        return parser.parse_args(list(arguments))
    except ArgumentError as error:
        message = _plain(str(error), choices(parser.format_help()))
    unknown = message.removeprefix("unrecognized arguments: ")
    if unknown == message:
        raise ValueError(message)
    word = unknown.split()[0].partition("=")[0]
    known = {o for o in re.findall(r"--[\w.]+", parser.format_help()) if not o.endswith(".help")}
    raise ValueError(f"unknown option {word!r}{nearest(word, known)}")


def _plain(message: str, offered: Mapping[str, Sequence[str]]) -> str:
    """A message of jsonargparse's on one line, without Python's notation, and with the nearest.

    Args:
        message: of jsonargparse.
        offered: the classes, or the values, that options take.
    """
    message = re.sub(r'Parser key "([\w.]+)":', r"--\1:", " ".join(message.split()))
    message = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", message)
    option, _, problem = message.partition(": ")
    union = re.search(r"Subtypes: \[(.*?)\] Errors: .*Given value: (\S+)$", problem)
    if union:
        types = union[1].replace("NoneType", "null").replace(", ", " or ")
        guess = nearest(union[2], offered.get(option, []))
        more = guess if "did you mean" in guess else ""  # it may not have been meant as a class
        return f"{option}: expected {types}, got {union[2]}{more}"
    name = re.search(r"^Expected a dot import path string: (\S+)$", problem)
    if name:
        return f"{option}: no {name[1]!r}{nearest(name[1], offered.get(option, []))}"
    literal = re.search(r"(?:Literal\[|choose from )('.*')[\])]", problem)
    wrong = re.search(r"Got value: (\S+)$|invalid choice: '([^']*)'", problem)
    if literal and wrong:
        word = wrong[1] or wrong[2]
        known = re.findall(r"'([^']*)'", literal[1])
        return f"{option.removeprefix('argument ')}: no {word!r}{nearest(word, known)}"
    return message


def find_class(kind: str, name: str, known: dict[str, type], base: type) -> type[Any]:
    """The class that a user named.

    Args:
        kind: "loss", "model" or "data", for messages.
        name: a name in ``known``, or the import path of a class of the user's own.
        known: the classes that go by their bare names.
        base: what the class must derive from.

    Raises:
        ValueError: there is no such class, or it is of another kind; the message names the nearest.
    """
    if name in known:
        return known[name]
    path, _, attribute = name.rpartition(".")
    if not path:
        raise ValueError(f"unknown {kind} {name!r}, and no import path{nearest(name, known)}")
    try:
        module = import_module(path)
    except ModuleNotFoundError as error:
        raise ValueError(f"cannot import {kind} {name!r}: {error}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise ValueError(f"{path} has no class {attribute!r}{nearest(attribute, classes)}")
    if not issubclass(found, base):
        raise ValueError(f"{name} is no {kind}: it does not derive from {base.__name__}")
    return found
