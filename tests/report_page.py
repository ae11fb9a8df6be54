"""A page taken apart by the standard library alone."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

VOID = {"meta", "br", "input"}


class Element:
    """A tag, what is inside it, and its text."""

    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, dict(attributes), parent
        self.children, self.pieces = [], []

    @property
    def text(self):
        inside = [piece if isinstance(piece, str) else piece.text for piece in self.pieces]
        return " ".join("".join(inside).split())

    def all(self, tag=None, **attributes):
        """Every element below this one of a tag, with some attributes; class_ is one of many."""
        found = []
        for child in self.children:
            known = child.attributes.get("class", "").split()
            wanted = {k: v for k, v in attributes.items() if k != "class_"}
            if (
                tag in (None, child.tag)
                and attributes.get("class_") in (None, *known)
                and all(child.attributes.get(k) == v for k, v in wanted.items())
            ):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def one(self, tag=None, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    def rows(self):
        """The text of each cell of a table."""
        return [[cell.text for cell in row.children] for row in self.all("tr")]


class Page(HTMLParser):
    """Parses a page strictly: every tag but the void ones is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.root = self.here = Element("", [], None)
        self.feed(html)
        assert self.here is self.root, f"{self.here.tag} is not closed"

    def handle_starttag(self, tag, attributes):
        child = Element(tag, attributes, self.here)
        self.here.children.append(child)
        self.here.pieces.append(child)
        if tag not in VOID:
            self.here = child

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert tag == self.here.tag, f"{tag} closes {self.here.tag}"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.pieces.append(data)


def read_page(file: Path) -> Element:
    return Page(file.read_text(encoding="utf-8")).root


def cells(style: str) -> np.ndarray:
    """The images of the sheet in a style, (rows, columns, height, width) bytes."""
    content = re.search(r"--sheet:url\(data:image/png;base64,([^)]+)\)", style)[1]
    rows = int(re.search(r"--rows:(\d+)", style)[1])
    columns = int(re.search(r"--columns:(\d+)", style)[1])
    table = np.array(Image.open(io.BytesIO(base64.b64decode(content))))
    height, width = table.shape[0] // rows, table.shape[1] // columns
    return table.reshape(rows, height, columns, width).swapaxes(1, 2)
