"""The page in a real browser: it opens from the disk, its sliders work, and it fits a phone."""

import io
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from disvae.plots import ReportSettings, write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUIET += [f"--disable-{part}" for part in ("background-networking", "component-update", "sync")]
QUICK = ReportSettings(metrics=["MIG", "FactorVAE score"], repeats=2, n_codes=20)
# The first image at a scale of one, in the corner of the window.
WHOLE_PIXELS = """
.view { display: none }
.dimension:nth-of-type(2) .view { display: block; position: fixed; inset: 0 auto auto 0; z-index: 9;
  width: 64px; border-radius: 0 }
"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def single(run, tmp_path_factory):
    return write_report([run], tmp_path_factory.mktemp("page") / "single.html", QUICK)


@pytest.fixture(scope="module")
def both(run, other_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return write_report([run, other_run], folder / "both.html", QUICK)


@contextmanager
def opened(browser, file, width=1280, height=900, **options):
    """The page in a fresh context that must stay silent and ask for nothing but the file."""
    said, asked = [], []
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]


def picture(locator) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(locator.screenshot())).convert("L")).astype(int)


def test_a_slider_moves_the_image_and_its_frame(browser, single):
    with opened(browser, single) as page:
        card = page.locator(".dimension").first
        slider, view = card.locator("input[type=range]"), card.locator(".view")
        seen = []
        for frame in (0, 16):
            slider.fill(str(frame))
            seen.append((picture(view), card.locator("output").inner_text()))
        assert [text for _, text in seen] == ["−2.00", "2.00"]
        assert slider.get_attribute("aria-valuetext") == "2.00"
        assert view.get_attribute("aria-label").endswith("= 2.00")
        position = view.evaluate("element => getComputedStyle(element).backgroundPositionX")
        assert position == "100%"
        slider.press("ArrowLeft")
        assert card.locator("output").inner_text() == "1.75"


def test_what_a_slider_shows_is_the_cell_of_the_sheet(browser, single):
    """The view's pixels are the cell of its frame, and of no other; at a scale of one, exactly."""
    with opened(browser, single) as page:
        page.add_style_tag(content=WHOLE_PIXELS)
        card = page.locator(".dimension").nth(0)
        sheet = page.evaluate(
            """async () => {
              const style = document.querySelector(".dimension").getAttribute("style");
              const image = new Image();
              image.src = style.match(/url\\((data:[^)]+)\\)/)[1];
              await image.decode();
              const canvas = document.createElement("canvas");
              [canvas.width, canvas.height] = [image.width, image.height];
              const context = canvas.getContext("2d");
              context.drawImage(image, 0, 0);
              const { data } = context.getImageData(0, 0, image.width, image.height);
              return [image.width, ...data.filter((_, i) => i % 4 === 0)];
            }"""
        )
        width, *pixels = sheet
        table = np.array(pixels).reshape(-1, width)
        for row, frame in ((0, 3), (2, 11)):
            page.locator(".traversal").first.locator("label").nth(row).click()
            card.locator("input[type=range]").fill(str(frame))
            expected = table[64 * row : 64 * row + 64, 64 * frame : 64 * frame + 64]
            np.testing.assert_allclose(picture(card.locator(".view")), expected, atol=1)


def test_another_image_starts_from_its_own_code(browser, single):
    with opened(browser, single) as page:
        cards = page.locator(".dimension")
        own = cards.first.get_attribute("data-own").split()
        page.locator("label").nth(3).click()
        value = float(cards.first.locator("output").inner_text().replace("−", "-"))
        assert abs(value - np.clip(float(own[3]), -2, 2)) <= 0.125 + 1e-9
        cards.first.locator("input[type=range]").fill("0")
        page.get_by_role("button", name="Reset").click()
        assert float(cards.first.locator("output").inner_text().replace("−", "-")) == value


def test_the_animation_moves_until_it_is_stopped(browser, single):
    with opened(browser, single) as page:
        button, output = page.get_by_role("button", name="Animate"), page.locator("output").first
        button.click()
        page.wait_for_function("() => document.querySelector('output').value === '1.00'")
        button.click()
        value = output.inner_text()
        page.wait_for_timeout(300)
        assert output.inner_text() == value
        assert button.get_attribute("aria-pressed") == "false"


def test_a_chart_is_read_under_the_pointer(browser, single):
    with opened(browser, single) as page:
        chart = page.locator(".chart").first
        usual = chart.locator(".reading").inner_text()
        chart.locator("svg").hover()
        assert "at " in chart.locator(".reading").inner_text()
        page.mouse.move(0, 0)
        assert chart.locator(".reading").inner_text() == usual


@pytest.mark.parametrize("name", ["single", "both"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, request, name, scheme):
    file = request.getfixturevalue(name)
    with opened(browser, file, 390, 844, color_scheme=scheme, has_touch=True) as page:
        for details in page.locator("details").all():
            details.evaluate("element => { element.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        wide = page.evaluate(
            """[...document.querySelectorAll("body *")].filter((element) =>
              !element.closest(".wide, svg") && element.getBoundingClientRect().right > 390.5
            ).map((element) => element.outerHTML.slice(0, 80))"""
        )
        assert wide == []
        back, ink = page.evaluate(
            """(({ backgroundColor, color }) => [backgroundColor, color])(
              getComputedStyle(document.body))"""
        )
        dark = [int(colour[4:].split(",")[0]) < 128 for colour in (back, ink)]
        assert dark == ([True, False] if scheme == "dark" else [False, True])
        slider = page.locator("input[type=range]").first.bounding_box()
        assert slider["height"] >= 24  # a finger's


def test_controls_are_reached_and_named_by_keyboard(browser, single):
    with opened(browser, single) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "A"
        names = page.locator("input").evaluate_all(
            "inputs => inputs.map((input) => input.getAttribute('aria-label'))"
        )
        assert len(names) == 4 + 3
        assert all(names)
        radio = page.locator("input[type=radio]").first
        radio.focus()
        page.keyboard.press("ArrowRight")
        assert page.locator(".traversal").evaluate("t => t.style.getPropertyValue('--y')") == "1"
