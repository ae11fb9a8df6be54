import pytest

from disvae.cli.main import main
from disvae.explore.server import listen


@pytest.fixture
def served(monkeypatch):
    calls = []
    monkeypatch.setattr("disvae.explore.serve", lambda *arguments: calls.append(arguments))
    return calls


def test_only_this_machine_is_let_in_unless_told_otherwise(served):
    assert main(["explore", "runs/a"]) == 0
    assert served == [("runs/a", "127.0.0.1", 7860, False)]


def test_options(served):
    options = ["--host", "0.0.0.0", "--port", "0", "--open_browser"]
    assert main(["explore", "runs/a", *options]) == 0
    assert served == [("runs/a", "0.0.0.0", 0, True)]


def test_errors_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("disvae.explore.server.need", lambda *_: None)
    assert main(["explore", str(tmp_path)]) == 2
    assert "is not a run directory" in capsys.readouterr().err
    monkeypatch.setattr("disvae.explore.server.explore_run", lambda run: None)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert main(["explore", str(tmp_path), "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"disvae: error: cannot listen on 127.0.0.1, port {port} ")
    assert error.count("\n") == 1
    (tmp_path / "dimensions.json").write_text("{")
    assert main(["explore", str(tmp_path)]) == 2
    assert "dimensions.json does not hold names" in capsys.readouterr().err
