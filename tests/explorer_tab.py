"""The explorer in a real browser: the command that serves it, and a tab that shows it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from disvae.explore import Explorer
from disvae.explore.picture import figure_html

# The command, which also reports every address outside of this machine that it turns to.
WATCHED = """
import sys
def watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments
    else:
        return
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
        print("turned to", address, file=sys.stderr, flush=True)
sys.addaudithook(watch)
from disvae.cli.main import main
sys.exit(main(sys.argv[1:]))
"""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NAME = "#names input, #names textarea"

CURRENT = "document.querySelectorAll('#pictures img')[2].src"

SHOWN = f"""
([picture, code]) => {{
  const slider = j => document.querySelector(`#dimension-${{j}} input[type=range]`);
  return {CURRENT} === picture && code.every((value, j) => Number(slider(j).value) === value);
}}
"""

# Milliseconds until something that is waited for is given up.
PATIENCE = 15_000

# Steps with pauses of some milliseconds between them: a value for a box, or a click, each as soon
# as there is what it is for.
HASTE = """
async ([steps, pause, patience]) => {
  const end = Date.now() + patience;
  for (const [what, value] of steps) {
    let element;
    while (!(element = document.querySelector(what))) {
      if (Date.now() > end) throw new Error(`there is no ${what}`);
      await new Promise(requestAnimationFrame);
    }
    if (value === null) {
      element.click();
    } else {
      element.value = value;
      element.dispatchEvent(new Event("input", {bubbles: true}));
    }
    await new Promise(resume => setTimeout(resume, pause));
  }
}
"""


@dataclass
class Server:
    process: subprocess.Popen
    url: str
    temporary: Path


@contextmanager
def serving(run: Path, temporary: Path) -> Iterator[Server]:
    """``disvae explore`` of a run, on any free port."""
    # As many threads as here, for pictures that are equal to the last bit.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    environment["TMPDIR"] = str(temporary)
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHED, "explore", str(run), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, process.communicate()[1]
        yield Server(process, address[0], temporary)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def browsing(url: str, explorer: Explorer) -> Iterator["Tab"]:
    """A tab with the page open; skips the test where there is no browser."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browser_path = shutil.which("chromium")
    if browser_path is None:
        pytest.skip("no chromium on the path")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        tab = Tab(context.new_page(), explorer)
        tab.page.goto(url)
        tab.page.wait_for_function("document.querySelectorAll('#pictures img').length === 3")
        yield tab
        browser.close()


@dataclass
class Tab:
    """A page, and what it has asked for and complained of."""

    page: Any
    explorer: Explorer
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    under_way: set[Any] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("request", self._on_request)
        self.page.on("requestfinished", self._on_end)
        self.page.on("requestfailed", self._on_end)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._on_console)

    def _on_request(self, request: Any) -> None:
        self.requests.append(request.url)
        if request.method == "POST":
            self.under_way.add(request)

    def _on_end(self, request: Any) -> None:
        self.under_way.discard(request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def current(self) -> str:
        """The picture of the sliders' code."""
        return self.page.evaluate(CURRENT)

    def code(self) -> tuple[float, ...]:
        """Where the sliders stand."""
        dimensions = range(len(self.explorer.order))
        return tuple(float(self.slider(j).input_value()) for j in dimensions)

    def shows(self, code: Sequence[float]) -> str:
        """The picture of a code, once it is shown and the sliders stand at the code."""
        picture = re.search('src="([^"]+)"', figure_html(self.explorer.decode(code), "", ""))
        assert picture
        self.page.wait_for_function(SHOWN, arg=[picture[1], list(code)])
        return picture[1]

    def settle(self) -> None:
        """Wait until nothing is under way, and nothing more is asked for."""
        asked = -1
        while self.under_way or asked != len(self.requests):
            asked = len(self.requests)
            self.page.wait_for_timeout(300)

    def slider(self, j: int) -> Any:
        return self.page.locator(f"#dimension-{j} input[type=range]")

    def start_at(self, index: int) -> None:
        self.page.locator("#index input").fill(str(index))

    def open_names(self) -> None:
        """Unfold the boxes for names."""
        if not self.page.locator(NAME).first.is_visible():
            self.page.locator("#names button").first.click()
            self.page.locator(NAME).first.wait_for()

    def shows_start(self, index: int) -> str:
        """Start at an image: the picture of its code, once it is shown."""
        self.start_at(index)
        return self.shows(self.explorer.start_at(index).code)

    def hurry(self, *steps: tuple[str, str | None], pause: int = 0) -> None:
        self.page.evaluate(HASTE, [steps, pause, PATIENCE])

    @contextmanager
    def slowed_down(self, times: float = 1, bytes_per_second: int = -1) -> Iterator[None]:
        """As on a slow machine, or at the end of a slow line."""
        session = self.page.context.new_cdp_session(self.page)

        def limit(times: float, bytes_per_second: int) -> None:
            line = {"offline": False, "latency": 0, "uploadThroughput": -1}
            line["downloadThroughput"] = bytes_per_second
            session.send("Network.emulateNetworkConditions", line)
            session.send("Emulation.setCPUThrottlingRate", {"rate": times})

        session.send("Network.enable")
        limit(times, bytes_per_second)
        yield
        limit(1, -1)

    def upload(self, content: bytes) -> None:
        file = {"name": "mine.png", "mimeType": "image/png", "buffer": content}
        self.page.locator("input[type=file]").set_input_files(file)

    def wait_for_text(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()
