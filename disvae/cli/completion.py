"""``disvae completion``: the script by which a shell completes verbs, options and names."""

import io
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from itertools import zip_longest

from disvae.cli.choices import choices
from disvae.cli.main import VERBS
from disvae.cli.nearest import nearest
from disvae.cli.parsing import make_parser, parse

DESCRIPTION = """Print a script by which a shell completes verbs, options, and names of classes,
recipes, data sets and metrics. Its first lines say where to put it. It holds a list of all these as
they are now: print it again after an upgrade."""

HEADS = {
    "bash": "# keep this as ~/.local/share/bash-completion/completions/disvae\n",
    "zsh": "# keep this as ~/.disvae-completion, and in ~/.zshrc, after compinit, write\n"
    "# source ~/.disvae-completion\n"
    "autoload -U +X bashcompinit && bashcompinit\n",
}

SCRIPT = """_disvae() {
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    local command="${COMP_WORDS[1]}" words=""
    if [ "$COMP_CWORD" -gt 2 ]; then
        case "$command" in GROUPS) command="$command ${COMP_WORDS[2]}" ;; esac
    fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="VERBS"
    else
        case "$command $before" in
VALUES
        *) case "$command" in
OPTIONS
            esac ;;
        esac
    fi
    local offered listed="" IFS=,
    case "$word" in *,*) listed="${word%,*}," ;; esac
    COMPREPLY=()
    for offered in $words; do
        case "$listed$offered" in "$word"*) COMPREPLY+=("$listed$offered") ;; esac
    done
}
complete -o default -F _disvae disvae
"""

Words = dict[str, list[str]]


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("completion", DESCRIPTION)
    parser.add_argument("shell", metavar="SHELL", help=f"which: {' or '.join(HEADS)}")
    shell = parse(parser, arguments).shell
    if shell not in HEADS:
        raise ValueError(f"unknown shell {shell!r}{nearest(shell, HEADS)}")
    print(HEADS[shell] + _script(), end="")


def _script() -> str:
    options, values = _read_helps()
    groups = [verb for verb in VERBS if _verbs_below(verb)]
    lines_of_values = [
        f'        "{asked}") words="{_listed(words)}" ;;' for asked, words in values.items()
    ]
    lines_of_options = [
        f'            "{command}") words="{_listed(words)}" ;;'
        for command, words in options.items()
    ]
    return (
        SCRIPT.replace("GROUPS", "|".join(groups))
        .replace("VERBS", _listed(VERBS))
        .replace("VALUES", "\n".join(lines_of_values))
        .replace("OPTIONS", "\n".join(lines_of_options))
    )


def _listed(words: Iterable[str]) -> str:
    """Words as the script has them, each as a shell wants it typed: names have spaces in them."""
    return ",".join(word.replace(" ", "\\ ") for word in words)


def _read_helps() -> tuple[Words, Words]:
    """The words that may follow a command, and those that may follow an option of one."""
    options: Words = {}
    values: Words = {}
    for verb in VERBS:
        below = _verbs_below(verb)
        if below:
            options[verb] = below
        for command in [f"{verb} {name}" for name in below] or [verb]:
            found = choices(_help_of(command))
            names = sorted(name for name in found if not name.endswith(".help"))
            options[command] = [*_kinds(verb), *names]
            values |= {f"{command} {name}": found[name] for name in names if found[name]}
    options["completion"] = list(HEADS)
    return options, {**values, **_names()}


def _names() -> Words:
    """The names of classes, recipes, data sets and metrics."""
    from disvae.cli.parts import PARTS
    from disvae.data.catalogue import catalogue
    from disvae.metrics.presets import PRESETS, WITHOUT_FACTORS
    from disvae.recipes import recipe_names

    names = {f"train --{part.name}": sorted(part.known) for part in PARTS}
    for asked in ("data download download", "data check check", "data show show", "import --data"):
        names[asked] = list(catalogue())
    for asked in ("evaluate --metrics", "report --metrics", "plot --score", "plot --scores"):
        names[asked] = [*PRESETS["default"], *WITHOUT_FACTORS]
    return {**names, "train --recipe": recipe_names(), "recipe show show": recipe_names()}


def _verbs_below(verb: str) -> list[str]:
    """The verbs of a verb such as ``data``, which says what each of them is for."""
    described = import_module(f"disvae.cli.{verb}").DESCRIPTION
    return list(described) if isinstance(described, dict) else []


def _kinds(verb: str) -> list[str]:
    """What a verb such as ``plot`` makes several kinds of, each with options of its own."""
    return list(getattr(import_module(f"disvae.cli.{verb}"), "KINDS", []))


def _help_of(command: str) -> str:
    """All help texts of a command: classes and kinds have options of their own."""
    verb, *below = command.split()
    words = ["RUN", *_kinds(verb)] if _kinds(verb) else below
    printed = io.StringIO()
    for chosen in _classes() if verb == "train" else [[]]:
        with redirect_stdout(printed), suppress(SystemExit):  # help is the end of a command
            import_module(f"disvae.cli.{verb}").run([*words, *chosen, "--help"])
    return printed.getvalue()


def _classes() -> list[list[str]]:
    """Options that choose each model, loss and data set in turn, as few commands as that takes."""
    from disvae.cli.parts import PARTS

    known = [[(f"--{part.name}", name) for name in part.known] for part in PARTS]
    return [[word for pair in row if pair for word in pair] for row in zip_longest(*known)]
