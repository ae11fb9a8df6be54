"""One experiment: what its file says to a reader, and what it says to the program.

A recipe's file begins with comments, one to a line: a title, then ``Source:``, and as many lines
``Corrected:`` (an error of the source that the recipe does not repeat) and ``Note:`` as there are
things to say. What follows is what ``disvae train --config`` takes.
"""

import re
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """An experiment, published or our own.

    Attributes:
        name: the name that ``disvae train --recipe`` takes.
        text: all of its YAML file.
    """

    name: str
    text: str

    @property
    def title(self) -> str:
        """Method and data, in a line."""
        return self._remarks[0]

    @property
    def source(self) -> str:
        """Where its numbers come from."""
        return self._after("Source: ")[0]

    @property
    def corrected(self) -> tuple[str, ...]:
        """The errors of the source that it does not repeat."""
        return self._after("Corrected: ")

    @property
    def notes(self) -> tuple[str, ...]:
        """What else differs from the source, or should be known."""
        return self._after("Note: ")

    @property
    def config(self) -> dict[str, Any]:
        """The options, as ``--config`` takes them."""
        import yaml

        return yaml.safe_load(self.text)

    @property
    def _remarks(self) -> list[str]:
        """The comments at the head of the file; an indented line goes on with the one before."""
        head = re.match(r"(?:#.*\n)*", self.text)
        comments = "" if head is None else head[0]
        return re.sub(r"\n#   +", " ", comments).replace("# ", "").splitlines()

    def _after(self, word: str) -> tuple[str, ...]:
        return tuple(r.removeprefix(word) for r in self._remarks if r.startswith(word))


def recipe_names() -> list[str]:
    """The names of all recipes, sorted.

    Example:
        >>> "factor_dsprites" in recipe_names()
        True
    """
    files = resources.files("disvae.recipes").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Args:
        name: as :func:`recipe_names` and ``disvae recipe list`` have it.

    Raises:
        ValueError: there is no such recipe.

    Example:
        >>> load_recipe("kim2018_2d_shapes").config["loss"]["init_args"]["gamma"]
        35.0
    """
    if name not in recipe_names():
        raise ValueError(f"unknown recipe {name!r}, expected one of {', '.join(recipe_names())}")
    file = resources.files("disvae.recipes") / f"{name}.yaml"
    return Recipe(name, file.read_text(encoding="utf-8"))
