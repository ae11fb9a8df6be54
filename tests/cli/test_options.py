"""Every option of every verb says what it does, in its help and in docs/command_line.md."""

import re
from importlib import import_module
from pathlib import Path

import jsonargparse
import pytest

from disvae.cli.main import VERBS

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0].strip(): part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)
}


class Parser(Exception):
    """Not an error: the parser that a verb was about to use."""


def parsers(verb: str, monkeypatch: pytest.MonkeyPatch) -> list[jsonargparse.ArgumentParser]:
    """The parsers of a verb: one, or one for each of its verbs or kinds."""

    def show(parser, *_, **__):
        raise Parser(parser)

    monkeypatch.setattr("jsonargparse.ArgumentParser.parse_args", show)
    module = import_module(f"disvae.cli.{verb}")
    calls: list[list[str]] = [[]]
    if isinstance(module.DESCRIPTION, dict):
        calls = [[below] for below in module.DESCRIPTION]
    elif hasattr(module, "KINDS"):
        calls = [["RUN", kind] for kind in module.KINDS]
    found = []
    for call in calls:
        with pytest.raises(Parser) as caught:
            module.run(call)
        found.append(caught.value.args[0])
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_help(verb, monkeypatch) -> None:
    for parser in parsers(verb, monkeypatch):
        for action in parser._actions:
            name = " or ".join(action.option_strings) or action.dest
            assert len(action.help or "") > 5, f"{parser.prog}: {name} is not explained"


@pytest.mark.parametrize("verb", VERBS)
def test_the_page_has_every_verb_and_its_own_options(verb, monkeypatch) -> None:
    assert verb in SECTIONS, f"docs/command_line.md has no section {verb}"
    mentioned = set(re.findall(r"`(--\w+)", SECTIONS[verb]))
    own = {
        option
        for parser in parsers(verb, monkeypatch)
        for action in parser._actions
        for option in action.option_strings
        if re.fullmatch(r"--\w+", option) and option != "--help"  # not those of a class
    }
    assert own <= mentioned, f"docs/command_line.md, {verb}: {sorted(own - mentioned)}"


def test_the_page_names_every_verb_with_json(monkeypatch) -> None:
    sentence = re.search(r"^`--json` \(of (.*?)\)", PAGE, re.MULTILINE | re.DOTALL)
    assert sentence
    named = re.findall(r"`([a-z ]+)`", sentence[1])
    found = [
        parser.prog.removeprefix("disvae ").partition(" RUN")[0]
        for verb in VERBS
        for parser in parsers(verb, monkeypatch)
        if "--json" in parser._option_string_actions
    ]
    assert sorted(named) == sorted(set(found))


def test_the_page_and_the_help_have_every_exit_status(capsys) -> None:
    from disvae.cli.main import main

    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for status in ("0", "1", "2", "130", "143"):
        assert f"\n| {status} |" in PAGE
        assert re.search(rf"\b{status} ", text.partition("exit status:")[2])
