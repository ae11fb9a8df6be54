import numpy as np
import pytest
import torch
from painted import PaintedImages, PaintedVAE, code_of, picture

from disvae.plots import describe_dimensions, films, training_animation, traversal_animation


@pytest.fixture
def seen(monkeypatch) -> list:
    """What each frame shows: the grid and the text below it."""
    frames = []

    def render(figure):
        axes = figure.axes[0]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        frames.append((picture(figure), axes.get_xlabel(), labels))
        return films_render(figure)

    films_render = films.render
    monkeypatch.setattr(films, "render", render)
    return frames


def codes(grid: torch.Tensor, row: int, column: int) -> list[float]:
    cell = grid[4 * row + 1 : 4 * row + 3, 4 * column + 1 : 4 * column + 3, 0].flatten()[:3]
    return [round(value, 3) for value in (10 * (cell - 0.5)).tolist()]


def test_dimensions_move_there_and_back_in_every_cell(seen):
    model, data = PaintedVAE(), PaintedImages()
    indices = [3, 77]
    x = data.floats(torch.tensor(indices))
    known = describe_dimensions(model, data)
    animation = traversal_animation(model, x, known, [-1.0, 0.0, 1.5, 3.0], 2, fps=8)
    assert animation.fps == 8
    assert len(animation.frames) == 6
    assert animation.frames.shape[2] == 650
    for (grid, text, labels), value in zip(seen, [-1.0, 0.0, 1.5, 3.0, 1.5, 0.0], strict=True):
        assert text == f"value of the dimension: {value:+.2f}"
        assert [label.splitlines()[0] for label in labels] == ["dimension 2", "dimension 1"]
        for row, j in enumerate([2, 1]):  # by KL
            for column, index in enumerate(indices):
                expected = code_of(index)
                expected[j] = value
                assert codes(grid, row, column) == pytest.approx(expected, abs=2e-3)
    assert np.array_equal(animation.frames[1], animation.frames[5])
    assert not np.array_equal(animation.frames[0], animation.frames[3])


def test_a_frame_for_each_time_of_training(seen):
    data = PaintedImages()

    def history():
        for step, scale in [(0, 0.0), (1500, 0.5), (3000, 1.0)]:
            model = PaintedVAE()
            model.decoder.scale.data.fill_(scale)
            yield step, model, describe_dimensions(model, data)

    animation = training_animation(history(), None, [1, 0], [-2.0, 2.0], fps=3)
    assert len(animation.frames) == 3
    for (grid, text, labels), (step, scale) in zip(
        seen, [("0", 0.0), ("1,500", 0.5), ("3,000", 1.0)], strict=True
    ):
        assert text == f"step {step}"
        assert labels[0].startswith("dimension 1\n")
        assert codes(grid, 0, 1) == pytest.approx([0, 2 * scale, 0], abs=2e-3)
        assert codes(grid, 1, 0) == pytest.approx([-2 * scale, 0, 0], abs=2e-3)
    with pytest.raises(ValueError, match="no model to draw"):
        training_animation([], None, [0], [0.0, 1.0])
