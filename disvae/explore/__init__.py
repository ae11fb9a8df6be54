"""Exploring a model by hand: a web page with a slider for each latent dimension."""

from disvae.explore.explorer import Explorer, Start, explore, explore_run, interpolate
from disvae.explore.server import serve
from disvae.explore.upload import read_picture

__all__ = [
    "Explorer",
    "Start",
    "explore",
    "explore_run",
    "interpolate",
    "read_picture",
    "serve",
]
