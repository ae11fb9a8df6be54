"""The page in a real browser: one server and one tab for all tests, each of which also runs alone.

Workers of pytest-xdist have a server and a tab each.
"""

import http.client
import io
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from explorer_tab import NAME, Server, Tab, browsing, serving
from PIL import Image

from disvae.explore import Explorer, interpolate
from disvae.extras import has
from disvae.training import read_dimension_names

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has("explore"), reason="needs Gradio: pip install 'disvae[explore]'"),
]


@pytest.fixture(scope="module")
def server(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    (finished / "dimensions.json").unlink(missing_ok=True)
    with serving(finished, tmp_path_factory.mktemp("temporary")) as server:
        yield server


@pytest.fixture(scope="module")
def tab(server: Server, explorer: Explorer) -> Iterator[Tab]:
    with browsing(server.url, explorer) as tab:
        yield tab


def test_sliders_stand_in_order_of_the_kl(tab: Tab, explorer: Explorer) -> None:
    labels = tab.page.locator("#sliders [data-testid=block-info]").all_inner_texts()
    assert labels == [f"dimension {j}: {explorer.kl[j]:.2f} nats" for j in explorer.order]
    assert tab.code() == explorer.start_at(10).code


def test_the_picture_follows_a_slider_while_it_is_dragged(tab: Tab, explorer: Explorer) -> None:
    box = tab.slider(explorer.order[0]).bounding_box()
    mouse, height = tab.page.mouse, box["y"] + box["height"] / 2
    seen = {tab.current()}
    mouse.move(box["x"] + box["width"] / 2, height)
    mouse.down()
    for part in (0.7, 0.9):
        mouse.move(box["x"] + box["width"] * part, height)
        seen.add(tab.shows(tab.code()))
    mouse.up()
    assert len(seen) == 3


def test_reset_shows_the_reconstruction_again(tab: Tab, explorer: Explorer) -> None:
    tab.shows_start(10)
    tab.slider(0).press("PageUp")
    tab.page.get_by_text("Reset sliders").click()
    shown = tab.shows(explorer.start_at(10).code)
    assert shown == tab.page.locator("#pictures img").nth(1).get_attribute("src")


def test_one_slider_leads_from_one_pinned_image_to_the_other(tab: Tab, explorer: Explorer) -> None:
    way = tab.page.locator("#way input[type=range]")
    way.fill("0.5")
    tab.wait_for_text("pin two images first")
    first, second = explorer.start_at(10).code, explorer.start_at(3).code
    a = tab.shows_start(10)
    tab.page.get_by_text("Pin as A").click()
    b = tab.shows_start(3)
    tab.page.get_by_text("Pin as B").click()
    tab.page.wait_for_function("document.querySelectorAll('#pins img').length === 2")
    pinned = [tab.page.locator("#pins img").nth(i).get_attribute("src") for i in (0, 1)]
    assert pinned == [a, b]
    for t in (0.0, 0.5, 1.0):
        way.fill(str(t))
        tab.shows(interpolate(first, second, t))


def test_names_are_saved_and_shown(
    tab: Tab, server: Server, explorer: Explorer, finished: Path
) -> None:
    first = explorer.order[0]
    tab.hurry(("#names button", None), (NAME, "<b>size</b>"))  # typed just as it unfolds
    tab.page.get_by_text("Save the names").click()
    tab.wait_for_text(f"saved in {finished}")
    tab.wait_for_text(f"<b>size</b> (dimension {first})")
    assert read_dimension_names(finished) == {first: "<b>size</b>"}
    another = Tab(tab.page.context.new_page(), explorer)
    another.page.goto(server.url)
    another.wait_for_text(f"<b>size</b> (dimension {first})")
    another.page.close()


def test_of_two_hasty_savings_the_last_counts(tab: Tab, explorer: Explorer, finished: Path) -> None:
    save = "#names button.primary"
    tab.open_names()
    with tab.slowed_down(times=4):
        tab.hurry((NAME, "shape"), (save, None), (NAME, "hue"), (save, None))
        tab.settle()
    assert read_dimension_names(finished) == {explorer.order[0]: "hue"}


def test_a_picture_of_ones_own(tab: Tab, explorer: Explorer) -> None:
    file = io.BytesIO()
    Image.new("RGB", (90, 60), "white").save(file, "PNG")
    tab.upload(file.getvalue())
    code = explorer.start_from(file.getvalue()).code
    tab.shows(code)
    tab.slider(0).press("PageUp")
    assert tab.code()[0] > code[0]
    tab.shows(tab.code())


def test_what_cannot_be_read_is_a_message(tab: Tab, tmp_path: Path) -> None:
    before = tab.current()
    tab.upload(b"no picture")
    tab.wait_for_text("choose a PNG, JPEG, WebP, BMP or GIF")
    large = tmp_path / "large.png"
    large.write_bytes(bytes(11 * 2**20))
    tab.page.locator("input[type=file]").set_input_files(large)
    tab.wait_for_text("exceed the maximum allowed size")
    tab.start_at(20)
    tab.wait_for_text("the image must be from 0 to 19, got 20")
    assert tab.current() == before
    assert "Traceback" not in tab.page.content()


def test_nothing_is_lost_that_is_done_while_something_else_is_answered(
    tab: Tab, explorer: Explorer
) -> None:
    with tab.slowed_down(bytes_per_second=50_000):
        for turn in range(15):  # from long before the first answer to after it
            tab.hurry(("#pins button", None), ("#index input", str(turn)), pause=10 * turn)
            tab.shows(explorer.start_at(turn).code)


def test_the_last_of_many_hasty_changes_counts(tab: Tab, explorer: Explorer) -> None:
    first, index = f"#dimension-{explorer.order[0]} input[type=range]", "#index input"
    with tab.slowed_down(times=4):
        tab.hurry((first, "1"), (first, "-1"), (first, "-2"))
        assert tab.code()[explorer.order[0]] == -2
        tab.shows(tab.code())
        tab.hurry((index, "1"), (index, "20"), (index, "5"))  # there is no image 20
        tab.shows(explorer.start_at(5).code)


def test_a_late_answer_leaves_the_picture_that_of_the_sliders(tab: Tab, explorer: Explorer) -> None:
    first = f"#dimension-{explorer.order[0]} input[type=range]"
    tab.shows_start(5)
    for _ in range(5):
        tab.hurry((first, "1"), (first, "-1"), (first, "-2"), ("#start button:last-child", None))
        tab.settle()
        tab.shows(explorer.start_at(5).code)


def test_it_fits_a_phone_and_the_pictures_stay_in_sight(tab: Tab, explorer: Explorer) -> None:
    tab.page.set_viewport_size({"width": 390, "height": 600})
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
    tab.slider(explorer.order[-1]).evaluate("slider => slider.scrollIntoView({block: 'end'})")
    assert tab.page.evaluate("scrollY") > 0
    assert -1 <= tab.page.locator("#pictures").bounding_box()["y"] <= 1


def test_nothing_was_asked_for_elsewhere(tab: Tab, server: Server) -> None:
    assert len(tab.requests) > 10
    elsewhere = [url for url in tab.requests if not url.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == []
    assert tab.complaints == []


def test_requests_under_another_machines_name_are_turned_away(server: Server) -> None:
    def status(name: str) -> int:
        with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)) as asked:
            asked.request("GET", "/config", headers={"Host": name})
            return asked.getresponse().status

    assert status("localhost:1234") == 200
    assert status("elsewhere.example") == 400


def test_control_c_ends_it_quietly_and_leaves_no_upload(server: Server) -> None:
    assert len(list(server.temporary.glob("disvae-explore-*"))) == 1
    server.process.send_signal(signal.SIGINT)
    stdout, stderr = server.process.communicate(timeout=60)
    assert (server.process.returncode, stdout, stderr) == (0, "", "")
    assert list(server.temporary.glob("disvae-explore-*")) == []
