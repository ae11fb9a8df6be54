"""What happens on the explorer's page: functions from values to values, without a component."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from disvae.explore.explorer import Code, Explorer, Start, interpolate, reach
from disvae.explore.picture import dimension_label, figure_html, kl_html
from disvae.training import read_dimension_names, write_dimension_names

# What a component of the page is to show: its value, or some of its properties.
Shown = str | int | Start | Code | dict[str, Any]


@dataclass(frozen=True)
class Page:
    """A page that explores one run; each method answers one thing that a visitor does.

    Methods return what the components show, in the order of ``layout``: the start, the three
    pictures, the table, and the sliders from top to bottom.

    Attributes:
        explorer: the model and its data.
        run: the run directory, where the names of dimensions are kept.
        widest: how far the sliders have ever gone to either side. They never narrow: answers may
            cross, and Gradio refuses a value that arrives beyond the ends of its slider.
    """

    explorer: Explorer
    run: Path
    widest: list[float] = field(default_factory=lambda: [0.0])

    def opened(self) -> list[Shown]:
        """The page as somebody opens it: the image in the data's middle, and the names."""
        index = len(self.explorer.data) // 2
        names = read_dimension_names(self.run)
        # A box without a name is left alone: Gradio sets a box that was folded away a moment after
        # it has come in sight, over what may have been typed.
        boxes: list[Shown] = [names.get(j, {}) for j in self.explorer.order]
        return [index, *self.started(self.explorer.start_at(index)), *boxes]

    def at_index(self, index: float | None) -> list[Shown]:
        """Start from an image of the data set; change nothing while the number is being typed."""
        if index is None:
            return [{} for _ in range(5 + len(self.explorer.order))]
        return self.started(self.explorer.start_at(int(index)))

    def at_random(self) -> list[Shown]:
        """Start from any image of the data set."""
        index = int(np.random.default_rng().integers(len(self.explorer.data)))
        return [index, *self.started(self.explorer.start_at(index))]

    def from_upload(self, content: bytes | None) -> list[Shown]:
        """Start from a picture of one's own, which has no number."""
        if content is None:
            raise ValueError("no file has arrived: choose it again")
        return [{"value": None}, *self.started(self.explorer.start_from(content))]

    def started(self, start: Start) -> list[Shown]:
        """The page after a start."""
        pictures = [
            figure_html(start.original, "original", "the image to start from"),
            figure_html(start.reconstruction, "reconstruction", "the model's image of its code"),
            self.current(*start.code),
        ]
        return [start, *pictures, self.table(start), *self.sliders(start.code)]

    def current(self, *code: float) -> str:
        """The picture of a code."""
        return figure_html(self.explorer.decode(code), "current", "the image of the sliders' code")

    def moved(self, *values: float) -> str:
        """The picture of what the sliders say, from top to bottom."""
        return self.current(*self.code(values))

    def code(self, values: Sequence[float]) -> Code:
        """The code that the sliders say, given from top to bottom."""
        of = dict(zip(self.explorer.order, values, strict=True))
        return tuple(of[j] for j in range(len(of)))

    def sliders(self, code: Code) -> list[dict[str, Any]]:
        """The sliders at a code, wide enough for it; from category to category if it has such."""
        sizes, names = self.explorer.model.sizes, read_dimension_names(self.run)
        continuous = [value for value, size in zip(code, sizes, strict=True) if size == 1]
        end = reach(continuous, least=max(self.explorer.reach, *self.widest))
        self.widest[:] = [end]
        return [
            {
                "value": code[j],
                **_range(sizes[j], end),
                "label": dimension_label(j, names, self.explorer.kl[j]),
            }
            for j in self.explorer.order
        ]

    def table(self, start: Start) -> str:
        """The KL of each dimension."""
        names = read_dimension_names(self.run)
        return kl_html(self.explorer.order, names, self.explorer.kl, start.kl)

    def pinned(self, letter: str, *values: float) -> list[Shown]:
        """What pinning the sliders' code gives: the code, and its picture."""
        code = self.code(values)
        shown = figure_html(self.explorer.decode(code), letter, f"the image pinned as {letter}")
        return [code, shown]

    def between(self, a: Code | None, b: Code | None, t: float) -> list[Shown]:
        """The picture and the sliders at a fraction of the way between the two pinned codes."""
        if a is None or b is None:
            raise ValueError("pin two images first: they are the ends of this slider")
        code = interpolate(a, b, t, self.explorer.model.discrete)
        return [self.current(*code), *self.sliders(code)]

    def named(self, start: Start, *names: str | None) -> list[Shown]:
        """Save the names, given from top to bottom: the table, and the sliders' new labels."""
        given = zip(self.explorer.order, names, strict=True)
        write_dimension_names(self.run, {j: name or "" for j, name in given})
        return [self.table(start), *({"label": s["label"]} for s in self.sliders(start.code))]


def _range(size: int, end: float) -> dict[str, float]:
    """Of a slider: that of the numbers of the categories, or as far as ``end`` to either side."""
    if size > 1:
        return {"minimum": 0, "maximum": size - 1, "step": 1}
    return {"minimum": -end, "maximum": end}
