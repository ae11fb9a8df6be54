"""What an error says to do is spelt as it is typed, also where Python users read it."""

import pytest
from painted import painted_run

from disvae.cli.main import main

TRAIN = ["train", "--run_dir", "RUN", "--n_images", "20", "--steps", "2", "--progress", "false"]
VAE = [*TRAIN, "--loss", "VAELoss", "--accelerator", "cpu"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sample", "RUN", "--best"], "train with monitor (--monitor), such as"),
        (["plot", "RUN", "history"], "train with keep_every (--keep_every STEPS)"),
        (["plot", "RUN", "training-animation"], "train with --keep_every STEPS"),
        (VAE, "Choose another run_dir (--run_dir), or"),
        ([*VAE, "--monitor", "ms_batch"], "monitor 'ms_batch' is a matter of the machine"),
        ([*TRAIN, "--loss", "WeightedLoss", "--loss.beta", "4"], "(--loss.estimator Minibatch"),
        ([*VAE, "--model", "InfoGAN2DShapes", "--model.std", "0"], "or None (null) to be learned"),
        (
            [*TRAIN, "--model.likelihood", "Tanh", "--model.likelihood.base", "SquaredError"],
            "such as SquaredError with data_range [-1.0, 1.0]",
        ),
        (
            [*TRAIN, "--source", "ChangedFactorPairs", "--source.n_changed", "9"],
            "the number of factors, or None (null), got 9",
        ),
    ],
)
def test_the_option_is_named(arguments, expected, tmp_path, capsys) -> None:
    painted_run(tmp_path)
    assert main([str(tmp_path) if word == "RUN" else word for word in arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert expected in line
