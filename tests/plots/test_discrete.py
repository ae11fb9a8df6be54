"""Pictures of models with categorical dimensions."""

import numpy as np
import pytest
import torch
from small import small_mixed, small_qlae
from torch.distributions import Normal

from disvae.divergence import MixedDistribution
from disvae.plots import films, mean_kl, traversal_figure
from disvae.plots.dimensions import Dimensions
from disvae.plots.histograms import histogram_figure
from disvae.plots.interpolation import _at_an_end, interpolate, interpolation_figure
from disvae.plots.reconstruct_traverse import reconstruct_traverse_figure
from disvae.plots.traversals import starts, traverse, traverse_posterior, values_of

VALUES = (-2.0, -1.0, 0.0, 1.0, 2.0)


@pytest.mark.parametrize(
    ("size", "n", "expected"),
    [(3, 3, [0, 1, 2]), (3, 5, [0, 0, 1, 1, 2]), (2, 5, [0, 0, 0, 1, 1]), (10, 5, [0, 2, 4, 6, 8])],
)
def test_categories_take_equal_shares_of_the_places(size, n, expected) -> None:
    assert values_of(size, [0.5] * n) == expected
    assert values_of(1, VALUES) == list(VALUES)


@torch.no_grad()
def test_a_categorical_row_goes_through_its_categories() -> None:
    model, x = small_mixed().eval(), torch.rand(1, 8, 8)
    images = traverse(model, x, VALUES)
    code = model.represent(x[None])[0]
    for j, along in enumerate([VALUES, VALUES, [0, 0, 1, 1, 2], [0, 0, 0, 1, 1]]):
        for v, value in enumerate(along):
            moved = code.clone()
            moved[j] = value
            expected = model.likelihood.mean(model.decode(moved[None]))[0]
            torch.testing.assert_close(images[j, v], expected)


@torch.no_grad()
def test_from_the_prior_and_in_deviations_of_the_posterior() -> None:
    model, x = small_mixed().eval(), torch.rand(2, 1, 8, 8)
    start = starts(model, None)
    assert start.batch_shape == (1, 4)
    assert traverse_posterior(model, start, range(4), VALUES).shape == (4, 1, 5, 1, 8, 8)
    q = starts(model, x)
    found = traverse_posterior(model, q, [0, 2], VALUES, unit="posterior")
    codes = q.loc.clone()
    codes[:, 0] += 2 * q.continuous.scale[:, 0]
    torch.testing.assert_close(found[0, :, 4], model.likelihood.mean(model.decode(codes)))
    codes = q.loc.clone()
    codes[:, 2] = 2
    torch.testing.assert_close(found[1, :, 4], model.likelihood.mean(model.decode(codes)))


@pytest.mark.parametrize("make", [small_mixed, small_qlae])
def test_traversal_figure_says_how_many_categories(make) -> None:
    model, x = make().eval(), torch.rand(8, 1, 8, 8)
    figure = traversal_figure(model, x[0], mean_kl(model, x), VALUES)
    (labels,) = ([text.get_text() for text in axes.get_yticklabels()] for axes in figure.axes)
    told = [label for label in labels if "categories" in label]
    assert len(told) == len(model.discrete)
    for j in model.discrete:
        assert any(f"dimension {j}\n{model.sizes[j]} categories" in label for label in told)


def corners(figure, rows: int, columns: int) -> list[list[str]]:
    """What stands in the upper left corner of each image of a grid."""
    (axes,) = figure.axes
    height, width = (n / k for n, k in zip(axes.images[0].get_size(), (rows, columns), strict=True))
    found = [[""] * columns for _ in range(rows)]
    for text in axes.texts:
        x, y = text.get_position()
        assert max((x + 0.5) % width / width, (y + 0.5) % height / height) < 0.1
        found[int((y + 0.5) // height)][int((x + 0.5) // width)] = text.get_text()
    return found


@pytest.mark.parametrize("n_images", [1, 2])
def test_categories_stand_in_the_images_and_values_below_what_is_continuous(n_images) -> None:
    model, x = small_mixed().eval(), torch.rand(n_images, 1, 8, 8)
    figure = traversal_figure(model, x, torch.tensor([4.0, 2.0, 3.0, 1.0]), VALUES)
    found = corners(figure, 4 * n_images, 5)
    for i, expected in enumerate([[""] * 5, [*"00112"], [""] * 5, [*"00011"]]):
        assert found[i * n_images : (i + 1) * n_images] == [expected] * n_images
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["-2", "-1", "0", "1", "2"]
    assert figure.axes[0].get_xlabel().endswith("posterior mean; in the corners: categories")


def test_where_all_is_categorical_no_values_stand_below() -> None:
    model, x = small_mixed().eval(), torch.rand(1, 8, 8)
    figure = traversal_figure(model, x, torch.tensor([1.0, 1.0, 3.0, 2.0]), VALUES, rows=2)
    assert corners(figure, 2, 5) == [[*"00112"], [*"00011"]]
    assert len(figure.axes[0].get_xticklabels()) == 0
    figure = traversal_figure(model, x, torch.tensor([3.0, 2.0, 1.0, 1.0]), VALUES, rows=2)
    assert not figure.axes[0].texts
    assert "categories" not in figure.axes[0].get_xlabel()


def test_categories_below_reconstructions() -> None:
    model, x = small_mixed().eval(), torch.rand(5, 1, 8, 8)
    known = Dimensions(torch.tensor([1.0, 2.0, 3.0, 4.0]), [""] * 4, model.sizes)
    figure = reconstruct_traverse_figure(model, x, known, VALUES)
    empty = [""] * 5
    assert corners(figure, 6, 5) == [empty, empty, [*"00011"], [*"00112"], empty, empty]


def test_labels_without_sizes_are_as_they_were() -> None:
    assert Dimensions(torch.ones(2), ["", "shape"]).label(1) == "dimension 1\n1.00 nats\nshape"


def posterior(n: int = 300) -> MixedDistribution:
    logits = torch.tensor([0.6, 0.3, 0.1]).log().expand(n, 3)
    return MixedDistribution(Normal(torch.randn(n, 1), torch.full((n, 1), 0.3)), [logits])


def test_categories_in_the_frames_of_a_training_animation(monkeypatch) -> None:
    model = small_mixed().eval()
    known = Dimensions(torch.tensor([1.0, 2.0, 3.0, 4.0]), [""] * 4, model.sizes)
    figures = []
    draw = films._frame
    monkeypatch.setattr(
        films, "_frame", lambda axes, *a: figures.append(axes.figure) or draw(axes, *a)
    )
    films.training_animation([(1, model, known)], torch.rand(1, 8, 8), [2, 0], VALUES)
    assert corners(figures[0], 2, 5) == [[*"00112"], [""] * 5]


def test_histogram_of_categories_has_a_bar_for_each() -> None:
    figure = histogram_figure(posterior(3_000), dimensions=[1, 0])
    bars, usual = figure.axes
    heights = [patch.get_height() for patch in bars.patches]
    assert heights == pytest.approx([0.6, 0.3, 0.1], abs=0.04)
    (line,) = bars.collections[0].get_segments()
    assert line[:, 1].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert len(usual.patches) == 40
    assert bars.get_xticks().tolist() == [0, 1, 2]
    assert [label.get_text() for label in bars.get_xticklabels()] == ["0", "1", "2"]
    assert bars.get_title(loc="left").endswith(" 0.00")  # alike for all images, it says nothing


def test_every_one_of_many_categories_has_a_tick_and_some_a_number() -> None:
    q = MixedDistribution(Normal(torch.randn(9, 1), torch.ones(9, 1)), [torch.zeros(9, 25)])
    bars, _ = histogram_figure(q, dimensions=[1, 0]).axes
    assert bars.get_xticks().tolist() == list(range(25))
    numbers = [label.get_text() for label in bars.get_xticklabels()]
    assert numbers == [str(k) if k % 3 == 0 else "" for k in range(25)]


def test_nats_of_a_category_are_what_it_tells_apart() -> None:
    """Half of the images have the probabilities in the opposite order: H(mean) - H(p)."""
    p = np.array([0.6, 0.3, 0.1])
    q = posterior(100)
    logits = torch.cat([q.logits[0][:50], q.logits[0][:50].flip(1)])
    bars, _ = histogram_figure(MixedDistribution(q.continuous, [logits]), dimensions=[1, 0]).axes
    mean = (p + p[::-1]) / 2
    nats = (p * np.log(p)).sum() - (mean * np.log(mean)).sum()
    assert bars.get_title(loc="left").endswith(f"{nats:.2f}")


@pytest.mark.parametrize("batch_size", [1, 7])
def test_nats_do_not_depend_on_the_batches(batch_size) -> None:
    model, x = small_mixed(), torch.rand(20, 1, 8, 8)
    torch.testing.assert_close(mean_kl(model, x, batch_size), mean_kl(model, x))


def test_histograms_of_two_models() -> None:
    figure = histogram_figure({"a": posterior(), "b": posterior()})
    assert len(figure.axes) == 4


def test_between_two_categories_there_is_none() -> None:
    a, b = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 2.0]])
    codes = interpolate(a, b, 5)
    moved = _at_an_end(codes, a[:, None], b[:, None], [1])
    assert torch.equal(moved[..., 0], codes[..., 0])
    assert moved[0, :, 1].tolist() == [0, 0, 0, 2, 2]
    assert torch.equal(_at_an_end(codes, a[:, None], b[:, None], []), codes)


@pytest.mark.parametrize("path", ["linear", "spherical", "dimensions"])
def test_interpolations(path) -> None:
    model, x = small_mixed().eval(), torch.rand(4, 1, 8, 8)
    assert interpolation_figure(model, x[:2], x[2:], 5, path).axes
