import shutil
import subprocess

import pytest

from disvae.cli.main import VERBS, main


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """What bash would offer after some words, by the script that the command prints."""
    from contextlib import redirect_stdout
    from io import StringIO

    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash to source the script: install it")
    printed = StringIO()
    with redirect_stdout(printed):
        assert main(["completion", "bash"]) == 0
    file = tmp_path_factory.mktemp("completion") / "disvae"
    file.write_text(printed.getvalue())

    def complete(*words: str) -> list[str]:
        ask = (
            'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _disvae; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        command = [bash, "-c", ask, str(file), "disvae", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout.removesuffix("\n").splitlines()

    return complete


def test_verbs(complete) -> None:
    assert complete("") == list(VERBS)
    assert complete("tra") == ["train", "traverse"]
    assert complete("data", "sh") == ["show"]
    assert complete("completion", "") == ["bash", "zsh"]


def test_options(complete) -> None:
    assert complete("evaluate", "runs/x", "--me") == ["--metrics"]
    assert complete("data", "show", "sprites", "--se") == ["--seed"]
    assert complete("data", "list", "--out") == []
    assert {"--loss.gamma", "--loss.beta", "--model.latent_dim"} <= {*complete("train", "--")}


def test_names_of_classes_recipes_and_data_sets(complete) -> None:
    assert {"FactorVAELoss", "BetaTCVAELoss"} <= {*complete("train", "--loss", "")}
    assert complete("train", "--model", "Kim") == ["KimMixedVAE", "KimVAE"]
    assert complete("train", "--data", "DSp") == ["DSprites"]
    assert complete("train", "--recipe", "best_") == ["best_celeba", "best_dsprites"]
    assert complete("recipe", "show", "kim2018_2d") == ["kim2018_2d_shapes"]
    assert complete("data", "download", "shapes") == ["shapes3d"]


def test_values(complete) -> None:
    assert complete("evaluate", "--preset", "pa") == ["paper"]
    assert complete("train", "--loss.capacity", "Li") == ["Linear"]
    assert complete("train", "--steps", "") == complete("train", "x", "")  # no value is known


def test_data_sets_to_import_on(complete) -> None:
    assert complete("import", "results", "runs/x", "--data", "shapes") == ["shapes3d"]
    assert {"dsprites", "mnist"} <= {*complete("import", "results", "runs/x", "--data", "")}


@pytest.mark.parametrize("asked", ["evaluate --metrics", "report --metrics", "plot --scores"])
def test_metrics_and_lists_of_them_as_they_are_typed(complete, asked) -> None:
    verb, option = asked.split()
    assert {"MIG", "DCI", "SAP"} <= {*complete(verb, "runs/x", option, "")}
    assert complete(verb, "runs/x", option, "MIG,DC") == ["MIG,DCI", "MIG,DCIMIG"]
    assert complete(verb, "runs/x", option, "Fac") == ["FactorVAE\\ score"]
    both = "FactorVAE\\ score,Z-max-variance\\ s"
    assert complete(verb, "runs/x", option, both) == [both + "core"]


def test_zsh_has_the_same_after_a_line_of_its_own(capsys) -> None:
    assert main(["completion", "zsh"]) == 0
    head, script = capsys.readouterr().out.split("bashcompinit\n", 1)
    assert "autoload" in head
    assert script.startswith("_disvae() {")


def test_another_shell_is_refused(capsys) -> None:
    assert main(["completion", "bahs"]) == 2
    assert "did you mean 'bash'?" in capsys.readouterr().err
