import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from disvae.explore.page import Page
from disvae.explore.picture import dimension_label, figure_html, kl_html, message_html
from disvae.training import read_dimension_names, write_dimension_names


@pytest.fixture
def page(explorer, run):
    return Page(explorer, run)


def pixels(html):
    """The picture in a figure, as (height, width) or (height, width, 3) bytes."""
    uri = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert uri
    return torch.from_numpy(np.array(Image.open(io.BytesIO(base64.b64decode(uri[1])))))


def as_bytes(image):
    return image[0].clamp(0, 1).mul(255).round().byte()


def test_figures_show_their_image():
    grey = torch.tensor([[[0.0, 0.2], [1.0, 1.5]]])
    assert pixels(figure_html(grey, "a", "b")).tolist() == [[0, 51], [255, 255]]
    colour = torch.rand(3, 4, 5)
    assert pixels(figure_html(colour, "a", "b")).shape == (4, 5, 3)
    assert "<img" not in figure_html(None, "a", "b")


def test_what_a_person_wrote_is_text_not_markup():
    name = "<img src=x>"
    assert "<img" not in kl_html([0], {0: name}, [1.0], [1.0])
    assert '"><script' not in figure_html(torch.zeros(1, 2, 2), "a", '"><script')
    assert "<img" not in message_html(f"got {name}")


def test_labels_say_name_number_and_nats():
    assert dimension_label(3, {}, 1.234) == "dimension 3: 1.23 nats"
    assert dimension_label(3, {3: "hue"}, 1.234) == "hue (dimension 3): 1.23 nats"


def test_the_table_has_a_bar_for_each_dimension_in_order():
    table = kl_html([1, 0, 2], {1: "hue"}, [1.0, 4.0, 0.0], [0.5, 3.0, 0.25])
    assert re.findall(r"<th>([^<]+)</th><td", table) == ["hue", "dimension 0", "dimension 2", "all"]
    assert re.findall(r"width:([\d.]+)%", table) == ["100.0", "25.0", "0.0"]
    assert re.findall(r"<tr class=\"(\w+)", table) == ["told", "told", "collapsed"]
    assert "<td>5.00</td><td>3.75</td>" in table


def test_sliders_stand_in_order_of_the_kl_at_the_code(page, explorer):
    code = (0.5, -1.0, 2.0)
    sliders = page.sliders(code)
    assert [s["value"] for s in sliders] == [code[j] for j in explorer.order]
    assert [f"dimension {j}: " in s["label"] for j, s in zip(explorer.order, sliders, strict=True)]
    nats = [float(s["label"].split()[-2]) for s in sliders]
    assert nats == sorted(nats, reverse=True)
    assert page.code([s["value"] for s in sliders]) == code


def test_sliders_reach_a_code_that_lies_far_out(page):
    assert {s["maximum"] for s in page.sliders((0.0, -9.5, 0.0))} == {10}
    assert {s["minimum"] for s in page.sliders((0.0, 0.0, 0.0))} == {-10}  # and never narrow


def test_sliders_go_as_far_as_asked_for(page):
    assert {s["minimum"] for s in page.sliders((0.0, 0.0, 0.0))} == {-page.explorer.reach}


def test_moving_sliders_shows_the_models_image(page, explorer):
    values = (1.0, -0.5, 0.25)  # from top to bottom
    expected = torch.zeros(3)
    expected[explorer.order] = torch.tensor(values)
    image = explorer.decode(expected.tolist())
    assert pixels(page.moved(*values)).equal(as_bytes(image))
    assert not pixels(page.moved(-1.0, -0.5, 0.25)).equal(as_bytes(image))


def test_a_page_opens_with_the_image_in_the_middle_and_the_names(page, explorer):
    write_dimension_names(page.run, {explorer.order[1]: "hue"})
    index, start, original, reconstruction, current, table, *rest = page.opened()
    assert index == 10
    expected = explorer.start_at(10)
    assert start.code == expected.code
    assert pixels(original).equal(as_bytes(expected.original))
    assert pixels(reconstruction).equal(as_bytes(expected.reconstruction))
    assert pixels(current).equal(as_bytes(expected.reconstruction))
    assert "hue" in table
    assert rest[3:] == [{}, "hue", {}]


def test_random_images_differ_and_say_which_they_are(page, explorer):
    seen = set()
    for _ in range(20):
        index, start, *_ = page.at_random()
        assert start.code == explorer.start_at(index).code
        seen.add(index)
    assert len(seen) > 1


def test_reset_is_a_start_again(page, explorer):
    start = explorer.start_at(3)
    assert page.started(start)[4:] == page.at_index(3)[4:]


def test_nothing_changes_while_a_number_is_typed(page):
    assert page.at_index(None) == [{}] * len(page.at_index(3))


def test_an_upload_has_no_number_and_must_have_arrived(page):
    file = io.BytesIO()
    Image.new("L", (64, 64), 255).save(file, "PNG")
    number, _, original, *_ = page.from_upload(file.getvalue())
    assert number == {"value": None}
    assert pixels(original).unique().tolist() == [255]
    with pytest.raises(ValueError, match="no file has arrived"):
        page.from_upload(None)


def test_between_two_pinned_codes(page, explorer):
    (a, picture), (b, _) = page.pinned("A", 1.0, 0.0, 0.0), page.pinned("B", -1.0, 2.0, 0.0)
    assert pixels(picture).equal(as_bytes(explorer.decode(a)))
    assert a == page.code((1.0, 0.0, 0.0))
    current, *sliders = page.between(a, b, 0.25)
    assert [s["value"] for s in sliders] == [0.5, 0.5, 0.0]
    assert pixels(current).equal(as_bytes(explorer.decode(page.code((0.5, 0.5, 0.0)))))
    with pytest.raises(ValueError, match="pin two images first"):
        page.between(a, None, 0.25)


def test_names_are_saved_and_shown(page, explorer):
    table, *labels = page.named(explorer.start_at(0), "hue", "", None)
    first = explorer.order[0]
    assert read_dimension_names(page.run) == {first: "hue"}
    assert labels[0]["label"].startswith(f"hue (dimension {first}): ")
    assert ">hue<" in table
    with pytest.raises(ValueError, match="at most 40 characters"):
        page.named(explorer.start_at(0), "x" * 41, "", "")
    assert read_dimension_names(page.run) == {first: "hue"}
