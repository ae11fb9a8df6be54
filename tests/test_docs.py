"""The code in the documentation runs, and prints what the pages say that it prints."""

import contextlib
import doctest
import io
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import disvae
from disvae import Trainer

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MODULES = [
    module.name
    for module in pkgutil.walk_packages(disvae.__path__, "disvae.")
    if not module.name.endswith("__main__")
]

BLOCK = re.compile(
    r"^(?P<skip><!-- skip -->\n+)?```python\n(?P<code>.*?)^```\n"
    r"(?:\n```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages say how long one would train; here two steps must do."""
    fit = Trainer.fit
    monkeypatch.setattr(Trainer, "fit", lambda self, data, steps: fit(self, data, min(steps, 2)))


def assert_same_output(printed: str, expected: str) -> None:
    """The same words and integers; decimals may differ a little between machines."""
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", expected).split()
    for was, wanted in zip(NUMBER.findall(printed), NUMBER.findall(expected), strict=True):
        if "." in wanted:
            assert float(was) == pytest.approx(float(wanted), rel=0.02, abs=0.05), expected
        else:
            assert was == wanted


@pytest.mark.usefixtures("_few_steps")
@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_code_blocks(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's blocks run from top to bottom, as one program; a text block is what it prints."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    namespace = {"__name__": page.stem}
    for block in BLOCK.finditer(text):
        if block["skip"]:
            continue
        blank_lines = "\n" * text.count("\n", 0, block.start("code"))  # tracebacks name the line
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(blank_lines + block["code"], str(page), "exec"), namespace)
        if block["output"] is not None:
            assert_same_output(printed.getvalue(), block["output"])


def test_output_comparison_can_fail() -> None:
    assert_same_output("TC 7.70 of 10", "TC 7.71 of 10")
    for printed in ("TC 8.35 of 10", "TC 7.70 of 11", "MI 7.70 of 10", "TC -7.70 of 10"):
        with pytest.raises(AssertionError):
            assert_same_output(printed, "TC 7.70 of 10")


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(import_module(name), optionflags=flags).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_commands_are_targets_of_the_makefile(page: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    mentioned = re.findall(r"(?:`|^)make ([\w-]+)", page.read_text(encoding="utf-8"), re.M)
    assert set(mentioned) <= set(targets)
