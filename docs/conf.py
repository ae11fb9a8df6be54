"""Sphinx: the pages are MyST Markdown, the reference comes from the docstrings."""

from typing import Any

import disvae

project = "disvae"
author = copyright = "The disvae developers"
version = release = disvae.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"disvae {version}"


def _skip_tuple_fields(app: Any, what: str, name: str, obj: Any, *rest: Any) -> bool | None:
    """Leave out what the class docstring says already: "Alias for field number 0" adds nothing."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app: Any) -> None:
    """Connect the hook."""
    app.connect("autodoc-skip-member", _skip_tuple_fields)
