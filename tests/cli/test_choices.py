"""Values that an option does not take: the nearest that it takes is named, before any work."""

import pytest
from painted import painted_run

from disvae.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["plot", "RUN", "embedding", "--method", "tsnee"], "no 'tsnee'; did you mean 'tsne'?"),
        (["export", "RUN", "--format", "onx"], "no 'onx'; did you mean 'onnx'?"),
        (["evaluate", "RUN", "--preset", "papers"], "no 'papers'; did you mean 'paper'?"),
        (["evaluate", "RUN", "--metrics", "mig"], "no metric 'mig' (did you mean 'MIG'?)"),
    ],
)
def test_the_nearest_is_named(arguments, expected, tmp_path, capsys) -> None:
    painted_run(tmp_path)
    assert main([str(tmp_path) if word == "RUN" else word for word in arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert expected in line
    assert not (tmp_path / "codes-trained.npz").exists()
