"""Losses without the batches or the model that they are for: one line, nothing in the way."""

import pytest

from disvae.cli.main import main

SMALL = ["--data", "Sprites", "--n_images", "20", "--batch_size", "4", "--steps", "2"]
QUIET = ["--progress", "false", "--accelerator", "cpu"]
PAIRS = ["--source", "FactorPairs", "--source.shared", "[shape]"]
FEW = ["--source", "FewLabels", "--source.n_labels", "5"]

# The loss, what else is asked for, what is said, and what would be right.
WRONG = {
    "Ada-GVAE without pairs": ("AdaGVAELoss", [], "--source on the command line", PAIRS),
    "cycles without pairs": ("CycleConsistentLoss", [], "--source on the command line", PAIRS),
    "few labels without labels": ("FewLabelsLoss", [], "FewLabels", FEW),
    "JointVAE without categories": (
        "JointVAELoss",
        [],
        "needs categorical dimensions",
        ["--model", "BurgessMixedVAE"],
    ),
    "QLAE without a quantiser": (
        "QLAELoss",
        [],
        "a model that quantises",
        ["--model", "BurgessQLAE"],
    ),
    "moments of categories": (
        "DIPVAELoss",
        ["--model", "BurgessMixedVAE"],
        "takes moments of Gaussian codes",
        ["--model", "BurgessVAE"],
    ),
    "the ELBO of a quantiser": (
        "VAELoss",
        ["--model", "BurgessQLAE"],
        "a loss of its own",
        ["--model", "BurgessVAE"],
    ),
    "the ELBO of a generator": (
        "VAELoss",
        ["--model", "InfoGAN2DShapes"],
        "the prior has bounds",
        ["--model", "BurgessVAE"],
    ),
    "a game without players": (
        "InfoGANLoss",
        [],
        "trains an InfoGAN",
        ["--model", "InfoGAN2DShapes"],
    ),
}


@pytest.mark.untyped
@pytest.mark.parametrize("name", WRONG)
def test_one_line_and_then_the_right_command(name, tmp_path, capsys) -> None:
    loss, options, message, right = WRONG[name]
    if loss == "CycleConsistentLoss":
        options, right = ([*part, "--loss.specified", "4"] for part in (options, right))
    command = ["train", "--loss", loss, *SMALL, *QUIET, "--run_dir", str(tmp_path / "run")]
    assert main([*command, *options]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("disvae: error: ")
    assert message in said[-1]
    assert "Traceback" not in "".join(said)
    assert main([*command, *right]) == 0


def test_a_type_error_of_another_kind_is_shown_whole(monkeypatch, tmp_path) -> None:
    def broken(*_: object) -> None:
        raise TypeError("a mistake in a class of one's own")

    monkeypatch.setattr("disvae.losses.VAELoss.regularizer", broken)
    with pytest.raises(TypeError, match="of one's own"):
        main(["train", "--loss", "VAELoss", *SMALL, *QUIET, "--run_dir", str(tmp_path)])
