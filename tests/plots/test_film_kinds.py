import pytest
from painted import painted_run

from disvae.plots import NotApplicableError, film_kinds


@pytest.fixture
def run(tmp_path):
    return painted_run(tmp_path, {0: 0.0, 5: 0.5})


def test_animations_have_their_frames(run, tmp_path):
    moving = film_kinds.traversal_animation(run, rows=2, columns=2, steps=4, posterior=True, fps=7)
    assert (len(moving.frames), moving.fps) == (6, 7)
    training = film_kinds.training_animation(run, rows=1, columns=3)
    assert len(training.frames) == 2
    assert not (training.frames[0] == training.frames[1]).all()
    with pytest.raises(NotApplicableError, match="train with --keep_every STEPS"):
        film_kinds.training_animation(painted_run(tmp_path / "other"))
