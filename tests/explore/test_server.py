import signal
import socket

import pytest

from disvae.explore import serve
from disvae.explore.server import listen, stopped_like_control_c


def test_a_free_port_is_found_on_this_machine_alone():
    with listen("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert port > 0


def test_a_port_in_use_is_named():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port} .*--port"):
            listen("127.0.0.1", port)


def test_a_host_that_is_not_this_machine_is_named():
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1, port 0"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_are_numbers_of_two_bytes(port):
    with pytest.raises(ValueError, match=f"from 0 to 65535, got {port}"):
        listen("127.0.0.1", port)


def test_sigterm_unwinds_as_control_c_does():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stopped_like_control_c():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_that_has_not_ended_is_refused(run, tmp_path):
    pytest.importorskip("gradio", reason="gradio is not installed: pip install 'disvae[explore]'")
    with pytest.raises(FileNotFoundError, match="is not a run directory"):
        serve(tmp_path / "nowhere")
    (tmp_path / "config.yaml").write_text((run / "config.yaml").read_text())
    with pytest.raises(FileNotFoundError, match="training has not ended"):
        serve(tmp_path)


def test_ipv6_loopback():
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        listener = listen("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert listener.getsockname()[0] == "::1"
