"""``disvae plot``: pictures of a finished run, one function a kind."""

import json
from collections.abc import Callable, Iterator, Sequence
from inspect import getdoc, signature
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from disvae.cli.nearest import nearest
from disvae.cli.parsing import make_parser, parse
from disvae.cli.tables import print_json
from disvae.extras import MissingExtraError
from disvae.files import replacing
from disvae.plots import code_kinds, film_kinds, image_kinds, sweep_kinds
from disvae.plots.animation import FORMATS, Animation
from disvae.plots.errors import NotApplicableError
from disvae.training import Run, load_run

# A kind is a function of a run whose keywords are its options; it returns a figure or an Animation,
# or raises NotApplicableError. What stands here is the file's name.
KINDS: dict[str, Callable[..., Any]] = {
    "data-samples": image_kinds.data_samples,
    "samples": image_kinds.samples,
    "reconstructions": image_kinds.reconstructions,
    "traversals": image_kinds.traversals,
    "reconstruct-traverse": image_kinds.reconstruct_traverse,
    "traversal-animation": film_kinds.traversal_animation,
    "training-animation": film_kinds.training_animation,
    "interpolation": image_kinds.interpolation,
    **code_kinds.CODE_KINDS,
    **sweep_kinds.SWEEP_KINDS,
}

ALL = "all"
STILL = ("png", "pdf", "svg", "jpg", "webp")
MOVING = tuple(ending[1:] for ending in FORMATS)
USAGE = "disvae plot RUN KIND [KIND ...] [options]"
DESCRIPTION = """Draw pictures of a finished run into its directory, RUN/KIND.png or RUN/KIND.gif.
Several kinds may be named at once; each takes those of the options that it knows. `all` draws
whatever the run has enough for. See the options of a kind by: disvae plot RUN KIND --help"""

Option = tuple[str, list[str]]  # the name without dashes, and the words that follow


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    words, options = _split(arguments)
    if any(name in ("help", "h") for name, _ in options):
        _print_help([word for word in words if word in KINDS])
        raise SystemExit(0)  # as the parsers of other verbs do
    if len(words) < 2:
        raise ValueError("say which run and what to draw, and then the options: " + USAGE)
    kinds = _kinds(words[1:])
    parsers = {kind: _parser(kind) for kind in kinds}
    _refuse_unknown(options, kinds)
    given = {kind: parse(parsers[kind], list(_spelled(options, kind))).as_dict() for kind in kinds}
    as_json, *_ = [options.pop("json") for options in given.values()]  # one option of all
    finished = load_run(words[0])
    files, skipped = dict[str, str](), dict[str, str]()
    for kind in kinds:
        try:
            file = _draw(finished, kind, given[kind], len(kinds))
        except (NotApplicableError, MissingExtraError) as reason:
            if ALL not in words[1:]:
                raise
            skipped[kind], line = str(reason), f"skipped {kind}: {reason}"
        else:
            files[kind], line = str(file), f"wrote {file}"
        if not as_json:
            print(line)
    if as_json:
        print_json({"files": files, "skipped": skipped})


def _split(arguments: Sequence[str]) -> tuple[list[str], list[Option]]:
    """The words before the first option, and the options with the words that follow each."""
    words: list[str] = []
    options: list[Option] = []
    for argument in arguments:
        if argument.startswith("--") or argument == "-h":
            name, equals, value = argument.lstrip("-").partition("=")
            options.append((name, [value] if equals else []))
        else:
            (options[-1][1] if options else words).append(argument)
    return words, options


def _kinds(words: Sequence[str]) -> list[str]:
    """The kinds that were named, each once."""
    for word in words:
        if word not in KINDS and word != ALL:
            raise ValueError(f"unknown kind {word!r}{nearest(word, [*KINDS, ALL])}")
    return list(KINDS) if ALL in words else list(dict.fromkeys(words))


def _parser(kind: str) -> ArgumentParser:
    """The options of one kind: the keywords of its function, and where to write."""
    function = KINDS[kind]
    first, *_ = (getdoc(function) or "").splitlines()
    parser = make_parser(f"plot RUN {kind}", first)
    parser.add_function_arguments(function, as_group=False, skip={"run"})
    parser.add_argument(
        "--output",
        type=str | None,
        default=None,
        help="file to write, its format by its ending, or a folder; in RUN if not given",
    )
    parser.add_argument(
        "--format",
        choices=list(dict.fromkeys([*STILL, *MOVING])),
        help="in place of png for what stands still, and of gif for what moves",
    )
    parser.add_argument("--json", type=bool, default=False, help="print what was written, as JSON")
    return parser


def _known(kind: str) -> dict[str, Any]:
    """The types of a kind's options, by their names."""
    parameters = signature(KINDS[kind]).parameters.values()
    types = {option.name: option.annotation for option in parameters if option.name != "run"}
    return {**types, "output": str, "format": str, "json": bool}


def _refuse_unknown(options: Sequence[Option], kinds: Sequence[str]) -> None:
    known = {name for kind in kinds for name in _known(kind)}
    for name, _ in options:
        if name not in known:
            guess = nearest(f"--{name}", [f"--{other}" for other in known])
            raise ValueError(f"unknown option '--{name}' of {', '.join(kinds)}{guess}")


def _spelled(options: Sequence[Option], kind: str) -> Iterator[str]:
    """The options that a kind has, as the parser reads them: bare switches on, lists as lists."""
    known = _known(kind)
    for name, words in options:
        if name not in known:
            continue
        if known[name] is bool and not words:
            words = ["true"]
        if known[name] == Sequence[int] and not "".join(words).startswith("["):
            words = [f"[{','.join(words)}]"]
        if known[name] == Sequence[str]:  # commas separate too; none of them is in a file's name
            words = [json.dumps([word for part in words for word in part.split(",")])]
        if len(words) != 1:
            raise ValueError(f"--{name} needs one value, got {' '.join(words) or 'none'}")
        yield f"--{name}={words[0]}"


def _draw(finished: Run, kind: str, options: dict[str, Any], n_kinds: int) -> Path:
    """Draw a kind into a file, which is the run's if it lies in its directory."""
    file = _file(finished, kind, options.pop("output"), n_kinds)
    ending = options.pop("format")
    file = _write(KINDS[kind](finished, **options), file, ending, n_kinds)
    if file.parent == finished.path:
        finished.note_picture(file.name)
    return file


def _file(finished: Run, kind: str, output: str | None, n_kinds: int) -> Path:
    """Where to write a kind; without an ending if its format is not said here."""
    if output is None:
        return finished.path / kind
    path = Path(output)
    if not path.suffix or path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return path / kind
    if n_kinds > 1:
        raise ValueError(f"--output {output} is one file for {n_kinds} pictures: give a folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(picture: Any, file: Path, ending: str | None, n_kinds: int) -> Path:
    """Write a figure or an animation in the format that the file's name or the option says."""
    moving = isinstance(picture, Animation)
    allowed = MOVING if moving else STILL
    if not file.suffix:
        if ending not in allowed and (ending is None or n_kinds > 1):
            ending = allowed[0]
        file = file.with_suffix(f".{ending}")
    if file.suffix[1:] not in allowed:
        raise ValueError(f"{file.name} cannot hold this picture: choose {', '.join(allowed)}")
    if moving:
        picture.save(file)
    else:
        with replacing(file) as out:
            picture.savefig(out, format=file.suffix[1:])
    return file


def _print_help(kinds: Sequence[str]) -> None:
    for kind in kinds:
        _parser(kind).print_help()
    if kinds:
        return
    print(f"usage: {USAGE}\n\n{DESCRIPTION}\n\nkinds:")
    for kind, function in KINDS.items():
        print(f"  {kind:<22}{(getdoc(function) or '').splitlines()[0]}")
    print(f"  {ALL:<22}All of these that the run has enough for.")
