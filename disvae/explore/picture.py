"""Images and numbers as the HTML of the explorer's page."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from jaxtyping import Float
from torch import Tensor

from disvae.plots.dimensions import COLLAPSED


def figure_html(
    image: Float[Tensor, "channels height width"] | None, caption: str, alt: str
) -> str:
    """An image with a caption; a frame without one if there is none.

    Args:
        image: values outside [0, 1] are cut off.
        caption: below it.
        alt: what a screen reader says of it.
    """
    shown = (
        f'<img src="{_data_uri(image)}" alt="{escape(alt)}">' if image is not None else "<i></i>"
    )
    return f'<figure class="picture">{shown}<figcaption>{escape(caption)}</figcaption></figure>'


def message_html(text: str) -> str:
    """A message, which a screen reader says at once; nothing to see if there is none."""
    return f'<p role="alert">{escape(text)}</p>'


def dimension_label(j: int, names: Mapping[int, str], kl: float) -> str:
    """What stands at the slider of a dimension: its name, its number and its nats."""
    title = f"{names[j]} (dimension {j})" if j in names else f"dimension {j}"
    return f"{title}: {kl:.2f} nats"


def kl_html(
    order: Sequence[int],
    names: Mapping[int, str],
    mean: Sequence[float],
    here: Sequence[float],
) -> str:
    """The KL of each dimension as bars: over the data set, and of the image at hand.

    Args:
        order: the dimensions, from top to bottom.
        names: those that have been named.
        mean: nats of each dimension over the data set, the bars.
        here: nats of each dimension for the image at hand.
    """
    widest = max(max(mean), COLLAPSED)
    rows = [
        f'<tr class="{"told" if mean[j] > COLLAPSED else "collapsed"}">'
        f"<th>{escape(names.get(j, f'dimension {j}'))}</th>"
        f'<td class="bar"><div style="width:{100 * mean[j] / widest:.1f}%"></div></td>'
        f"<td>{mean[j]:.2f}</td><td>{here[j]:.2f}</td></tr>"
        for j in order
    ]
    return (
        '<table class="kl"><thead><tr><th>nats</th><th></th><th>data set</th><th>this image</th>'
        f"</tr></thead><tbody>{''.join(rows)}"
        f"<tr><th>all</th><td></td><td>{sum(mean):.2f}</td><td>{sum(here):.2f}</td></tr>"
        "</tbody></table>"
    )


def _data_uri(image: Float[Tensor, "channels height width"]) -> str:
    """The image inside the page itself: a file for each move of a slider would be left behind."""
    from PIL import Image

    pixels = np.asarray((image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0))
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
