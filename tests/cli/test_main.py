import subprocess
import sys

import pytest

from disvae import __version__
from disvae.cli.main import VERBS, main


def test_help_names_every_verb(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)
    assert main([]) == 2


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"disvae {__version__}\n"


def test_an_unknown_verb_names_the_nearest(capsys):
    assert main(["trian"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("disvae: error: unknown verb 'trian'; did you mean 'train'?")
    assert error.count("\n") == 1


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"usage: disvae {verb}" in capsys.readouterr().out


def test_help_is_quick():
    code = (
        "import sys; from disvae.cli.main import main; main(['--help']); "
        "heavy = {'torch', 'jsonargparse', 'lightning_fabric', 'matplotlib', 'sklearn'}; "
        "sys.exit(len(heavy & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError, 2), (FileExistsError, 2), (FloatingPointError, 1), (KeyboardInterrupt, 130)],
)
def test_errors_of_the_user_are_one_line_and_a_status(monkeypatch, capsys, error, status):
    def fail(arguments):
        raise error("what went wrong")

    monkeypatch.setattr("disvae.cli.traverse.run", fail)
    assert main(["traverse"]) == status
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(2, "No such file or directory", "nodir/x"), "nodir/x: No such file or directory"),
        (OSError(28, "cannot write x (No space left)"), "cannot write x (No space left)"),
        (FileNotFoundError("x is not a run directory"), "x is not a run directory"),
    ],
)
def test_errors_of_files_name_the_file_and_no_number(monkeypatch, capsys, error, expected):
    def fail(arguments):
        raise error

    monkeypatch.setattr("disvae.cli.traverse.run", fail)
    assert main(["traverse"]) == 2
    assert capsys.readouterr().err == f"disvae: error: {expected}\n"


def test_errors_of_ours_are_not_hidden(monkeypatch):
    def fail(arguments):
        raise KeyError("a bug")

    monkeypatch.setattr("disvae.cli.traverse.run", fail)
    with pytest.raises(KeyError):
        main(["traverse"])


def test_output_may_be_cut_short() -> None:
    command = f"{sys.executable} -m disvae.cli data list --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout == "{\n"
    assert done.stderr == ""
