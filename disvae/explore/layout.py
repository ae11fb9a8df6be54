"""The explorer's components, as Gradio draws them, and which of them answers to which."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from disvae.explore.page import Page
from disvae.explore.picture import figure_html, message_html
from disvae.plots.dimensions import COLLAPSED
from disvae.training.names import LONGEST

if TYPE_CHECKING:
    import gradio as gr

CAPTIONS = ("original", "reconstruction", "current")


@dataclass
class Parts:
    """The components that change or are listened to, in Gradio's own types."""

    message: Any
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
        message = gr.HTML(message_html(""), elem_id="message")
        pinned = {"A": gr.State(), "B": gr.State()}
        parts = Parts(message=message, start=gr.State(), pinned=pinned, **left, **right)
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

    how: dict[str, Any] = {
        # Gradio's queue loses what is done just as it closes the stream of an earlier answer.
        "queue": False,
        # What is done again while it is being answered is answered once more, for the last time.
        "trigger_mode": "always_last",
        "show_progress": "hidden",
        "api_visibility": "private",
    }

    def on(events: list[Any], answer: Any, inputs: Any, outputs: list[Any], said: str = "") -> None:
        shown = _shown(answer, len(outputs), said)
        gr.on(events, shown, inputs, [parts.message, *outputs], **how)

    current = parts.pictures[-1]
    anew = [parts.index, *parts.after_start]
    on([blocks.load], page.opened, None, [*anew, *parts.names])
    on([parts.index.submit, parts.index.input], page.at_index, parts.index, parts.after_start)
    on([parts.random.click], page.at_random, None, anew)
    on([parts.upload.upload], page.from_upload, parts.upload, anew)
    on([parts.reset.click], page.started, parts.start, parts.after_start)
    # Whatever changes the sliders, the picture becomes theirs: also where the answer to an earlier
    # move arrives late.
    gr.on([slider.change for slider in parts.sliders], page.moved, parts.sliders, current, **how)
    for letter, button in parts.pin.items():
        shown = [parts.pinned[letter], parts.pin_pictures[letter]]
        on([button.click], partial(page.pinned, letter), parts.sliders, shown)
    ends = [parts.pinned["A"], parts.pinned["B"], parts.way]
    on([parts.way.input], page.between, ends, [current, *parts.sliders])
    named, saved = [parts.table, *parts.sliders], f"saved in {page.run}"
    on([parts.save.click], page.named, [parts.start, *parts.names], named, said=saved)


def _shown(answer: Callable[..., Any], n_outputs: int, said: str) -> Callable[..., list[Any]]:
    """An answer in Gradio's terms, after the message that comes with it.

    A user's error is an answer too, which leaves all else as it is: after one that failed, Gradio
    forgets what was done meanwhile.
    """
    import gradio as gr

    def shown(*values: Any) -> list[Any]:
        try:
            answers = answer(*values)
        except (ValueError, OSError) as error:
            return [message_html(str(error)), *[gr.skip()] * n_outputs]
        changes = [gr.update(**a) if isinstance(a, dict) else a for a in answers]
        return [message_html(said), *changes]

    return shown
