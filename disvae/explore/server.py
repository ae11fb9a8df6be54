"""The explorer's web server: on this machine alone, unless told otherwise."""

import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from disvae.explore.explorer import explore_run
from disvae.explore.layout import lay_out
from disvae.explore.page import Page
from disvae.explore.upload import MAX_BYTES
from disvae.extras import need
from disvae.pretrained.packed import find_run
from disvae.training import read_dimension_names

if TYPE_CHECKING:
    from fastapi import FastAPI

STYLE = Path(__file__).with_name("page.css")

# Names that a browser on this machine calls it by. A page of another site that has its own name
# lead here is turned away.
LOOPBACK = ["localhost", "127.0.0.1", "::1"]


def say_at_once(text: str) -> None:
    """Print, also where the output is kept back until there is more of it."""
    print(text, flush=True)


def serve(
    run: str | Path,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    say: Callable[[str], None] = say_at_once,
) -> None:
    """Explore a finished run in the browser, until stopped from the keyboard.

    Args:
        run: the run directory, or the name of a pretrained model.
        host: address to listen on; one that is not loopback lets others in, without a password.
        port: port to listen on; any free one if 0.
        open_browser: also open the page.
        say: told where the page is.

    Raises:
        FileNotFoundError: it is not a run directory, or training has not ended.
        OSError: the port is taken, or the host is not this machine.
        ValueError: the port is no port, or ``dimensions.json`` is damaged.
        MissingExtraError: if gradio is not installed.
    """
    need("explore", "the explorer")
    run = find_run(run)
    explorer = explore_run(run)
    read_dimension_names(run)  # so that a damaged file is said here, not on the page
    with (
        listen(host, port) as listener,
        suppress(KeyboardInterrupt),
        stopped_like_control_c(),
        _temporary_uploads(),
    ):
        here = _is_loopback(host)
        app = application(Page(explorer, run), LOOPBACK if here else ["*"])
        url = _url(host, listener.getsockname()[1])
        say(f"exploring {run} at {url}; stop with Ctrl-C")
        if not here:
            say(f"note: whoever reaches {host} can use the page: it asks for no password")
        if open_browser:
            webbrowser.open(url)  # the listener has it wait until the server answers
        _serve(app, listener)


def application(page: Page, hosts: list[str]) -> "FastAPI":
    """The page and all its files, as an ASGI application.

    Args:
        page: the page.
        hosts: names of this machine by which requests may come; "*" for any.
    """
    import gradio as gr
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    # Fonts of the system: the themes' own would be asked for elsewhere.
    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace"])
    return gr.mount_gradio_app(
        app,
        lay_out(page),
        path="/",
        theme=theme,
        css=STYLE.read_text(encoding="utf-8"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        max_file_size=MAX_BYTES,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the port is taken or not allowed, or the host is not this machine.
        ValueError: the port is not one of 0 to 65535.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"the port must be from 0 to 65535, got {port}")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OSError(
            f"cannot listen on {host}, port {port} ({error.strerror}): choose another --port, 0 "
            "for any that is free, or another --host"
        ) from error


@contextmanager
def stopped_like_control_c() -> Iterator[None]:
    """Have SIGTERM do what Ctrl-C does, which leaves nothing behind."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _temporary_uploads() -> Iterator[None]:
    """Have Gradio keep uploads in a folder that is gone at the end."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    with TemporaryDirectory(prefix="disvae-explore-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = before


def _serve(app: Any, listener: socket.socket) -> None:
    import uvicorn

    # Pages that are still open hold a connection; they are not waited for.
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
