"""Experiments, each a YAML file that ``disvae train --recipe NAME`` runs."""

from disvae.recipes.recipe import Recipe, load_recipe, recipe_names

__all__ = ["Recipe", "load_recipe", "recipe_names"]
