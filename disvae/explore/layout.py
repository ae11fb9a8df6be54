"""The explorer's components, as Gradio draws them, and which of them answers to which."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from html import escape
from typing import TYPE_CHECKING, Any

from disvae.explore.page import Page
from disvae.explore.picture import figure_html
from disvae.plots.dimensions import COLLAPSED
from disvae.training.names import LONGEST

if TYPE_CHECKING:
    import gradio as gr

CAPTIONS = ("original", "reconstruction", "current")


@dataclass
class Parts:
    """The components that change or are listened to, in Gradio's own types."""

    start: Any
    pinned: dict[str, Any]
    pictures: list[Any]
    index: Any
    random: Any
    upload: Any
    reset: Any
    pin: dict[str, Any]
    pin_pictures: dict[str, Any]
    way: Any
    sliders: list[Any]
    names: list[Any]
    save: Any
    table: Any

    @property
    def after_start(self) -> list[Any]:
        """What an image to start from changes."""
        return [self.start, *self.pictures, self.table, *self.sliders]


def lay_out(page: Page) -> "gr.Blocks":
    """The page as an application of Gradio's that reports to nobody.

    Args:
        page: what happens on it.
    """
    import gradio as gr

    title = f"disvae explore {page.run}"
    with gr.Blocks(title=title, fill_width=True, analytics_enabled=False) as blocks:
        gr.HTML(_heading(page))
        with gr.Row(elem_id="explorer"):
            with gr.Column(elem_id="left", min_width=320, scale=6):
                left = _left(len(page.explorer.data))
            with gr.Column(elem_id="right", min_width=320, scale=7):
                right = _right(page.explorer.order, page.explorer.kl)
        parts = Parts(start=gr.State(), pinned={"A": gr.State(), "B": gr.State()}, **left, **right)
        _connect(blocks, page, parts)
    return blocks


def _heading(page: Page) -> str:
    model, data = page.explorer.model, page.explorer.data
    shape = " × ".join(map(str, data.image_shape))
    facts = (
        f"{type(model).__name__}, {model.latent_dim} dimensions; {len(data):,} images of {shape}"
    )
    return f"<h1>{escape(str(page.run))}</h1><p>{escape(facts)}</p>"


def _left(n_images: int) -> dict[str, Any]:
    """Pictures, where to start, the way between two images, and the KL of each dimension."""
    import gradio as gr

    with gr.Row(elem_id="pictures"):
        pictures = [gr.HTML(figure_html(None, caption, "")) for caption in CAPTIONS]
    with gr.Row(elem_id="start"):
        index = gr.Number(
            label=f"Start from image (0 to {n_images - 1})", precision=0, elem_id="index"
        )
        random = gr.Button("Random image", size="md")
        upload = gr.UploadButton("Upload an image", file_types=["image"], type="binary", size="md")
        reset = gr.Button("Reset sliders", size="md")
    pin, pin_pictures = {}, {}
    with gr.Row(elem_id="pins"):
        for letter in "AB":
            if letter == "B":
                way = gr.Slider(0, 1, 0, step=0.01, label="From A to B", buttons=[], elem_id="way")
            with gr.Column(min_width=70):
                pin_pictures[letter] = gr.HTML(figure_html(None, letter, ""))
                pin[letter] = gr.Button(f"Pin as {letter}", size="sm")
    with gr.Accordion("KL of each dimension", elem_id="kl"):
        table = gr.HTML()
    return {
        "pictures": pictures,
        "index": index,
        "random": random,
        "upload": upload,
        "reset": reset,
        "pin": pin,
        "pin_pictures": pin_pictures,
        "way": way,
        "table": table,
    }


def _right(order: list[int], kl: tuple[float, ...]) -> dict[str, Any]:
    """The sliders, and names for them."""
    import gradio as gr

    with gr.Column(elem_id="sliders"):
        sliders = [
            gr.Slider(
                -3,
                3,
                0,
                step=0.01,
                label=f"dimension {j}",
                buttons=[],
                elem_id=f"dimension-{j}",
                elem_classes=[] if kl[j] > COLLAPSED else ["collapsed"],
            )
            for j in order
        ]
    with gr.Accordion("Name the dimensions", open=False, elem_id="names"):
        with gr.Row():
            names = [
                gr.Textbox(label=f"dimension {j}", max_lines=1, max_length=LONGEST) for j in order
            ]
        save = gr.Button("Save the names", variant="primary")
    return {"sliders": sliders, "names": names, "save": save}


def _connect(blocks: "gr.Blocks", page: Page, parts: Parts) -> None:
    """Say what each component does to the others."""
    import gradio as gr

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    # Of the moves that wait while one is answered, only the last is answered.
    live: dict[str, Any] = {**quiet, "trigger_mode": "always_last"}
    current = parts.pictures[-1]

    opened = [parts.index, *parts.after_start, *parts.names]
    blocks.load(_shown(page.opened), None, opened, **quiet)
    gr.on(
        [parts.index.submit, parts.index.input],
        _shown(page.at_index),
        parts.index,
        parts.after_start,
        **live,
    )
    parts.random.click(_shown(page.at_random), None, [parts.index, *parts.after_start], **quiet)
    parts.upload.upload(
        _shown(page.from_upload), parts.upload, [parts.index, *parts.after_start], **quiet
    )
    parts.reset.click(_shown(page.started), parts.start, parts.after_start, **quiet)
    moves = [slider.input for slider in parts.sliders]
    gr.on(moves, _shown(page.moved), parts.sliders, current, **live)
    for letter, button in parts.pin.items():
        shown = [parts.pinned[letter], parts.pin_pictures[letter]]
        button.click(_shown(partial(page.pinned, letter)), parts.sliders, shown, **quiet)
    ends = [parts.pinned["A"], parts.pinned["B"], parts.way]
    parts.way.input(_shown(page.between), ends, [current, *parts.sliders], **live)
    named = [parts.table, *parts.sliders]
    parts.save.click(_shown(page.named), [parts.start, *parts.names], named, **quiet).success(
        lambda: gr.Info(f"Saved in {page.run}", duration=4), None, None, **quiet
    )


def _shown(answer: Callable[..., Any]) -> Callable[..., Any]:
    """An answer in Gradio's terms: a dict changes a component, a user's error is a message."""
    import gradio as gr

    @wraps(answer if not isinstance(answer, partial) else answer.func)
    def shown(*values: Any) -> Any:
        try:
            answers = answer(*values)
        except (ValueError, OSError) as error:
            raise gr.Error(escape(str(error)), print_exception=False) from error
        if not isinstance(answers, list):
            return answers
        return [gr.update(**a) if isinstance(a, dict) else a for a in answers]

    return shown
