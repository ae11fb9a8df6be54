"""``disvae recipe``: experiments, most of them published, and what exactly each of them runs."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from jsonargparse import Namespace

from disvae.cli.nearest import nearest
from disvae.cli.parsing import choose_below, parse
from disvae.cli.tables import print_json
from disvae.recipes import Recipe, load_recipe, recipe_names

DESCRIPTION = {
    "list": "List the recipes: experiments that disvae train --recipe NAME runs.",
    "show": "Print the YAML file of a recipe: its source, what was corrected, its options.",
}

NOTE = "To run one: disvae train --recipe NAME --run_dir FOLDER\n"


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    verb, parser = choose_below("recipe", arguments, DESCRIPTION, NOTE)
    if verb == "list":
        parser.add_argument("--json", action="store_true", help="print JSON, with all options")
    else:
        parser.add_argument("name", metavar="NAME", help="of the recipe, as in the list")
    options = parse(parser, arguments[1:])
    VERBS[verb](options)


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    names = recipe_names()
    if name not in names:
        raise ValueError(f"unknown recipe {name!r}{nearest(name, names)} (see: disvae recipe list)")
    return load_recipe(name)


def _list(options: Namespace) -> None:
    recipes = [load_recipe(name) for name in recipe_names()]
    if options.json:
        print_json({r.name: _facts(r) for r in recipes})
        return
    wide = max(len(recipe.name) for recipe in recipes)
    for source, group in groupby(sorted(recipes, key=_source), key=_source):
        print(source)
        for r in group:
            print(f"  {r.name:<{wide}}  {r.title:<46}{r.config['steps']:>9,} steps")
    print("what was corrected: disvae recipe show NAME")
    print("to run one: disvae train --recipe NAME --run_dir FOLDER")


def _source(recipe: Recipe) -> str:
    return recipe.source


def _facts(recipe: Recipe) -> dict[str, Any]:
    texts = ("title", "source", "corrected", "notes", "config")
    return {text: getattr(recipe, text) for text in texts}


def _show(options: Namespace) -> None:
    print(find_recipe(options.name).text, end="")


VERBS = {"list": _list, "show": _show}
