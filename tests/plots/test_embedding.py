import numpy as np
import pytest
from matplotlib.colors import to_hex

from disvae.plots import embed, embedding_figure
from disvae.plots.style import COLOURS


@pytest.fixture(scope="module")
def clusters():
    """Dimensions 0 to 2 know the label, 3 to 5 do not."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    known = 8 * np.eye(3)[labels] + 0.3 * rng.normal(size=(60, 3))
    return np.concatenate([known, rng.normal(size=(60, 3))], axis=1), labels


def own_neighbour(points, labels) -> float:
    """The share of points whose nearest other has their label."""
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distance, np.inf)
    return float((labels[distance.argmin(1)] == labels).mean())


@pytest.mark.parametrize("method", ["tsne", "umap"])
@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")  # umap's own
def test_neighbours_stay_neighbours_and_the_seed_makes_exact_copies(method, clusters):
    z, labels = clusters
    points = embed(z[:, :3], method, neighbours=10, seed=1)
    assert points.shape == (60, 2)
    assert own_neighbour(points, labels) == 1.0
    np.testing.assert_array_equal(points, embed(z[:, :3], method, neighbours=10, seed=1))


@pytest.mark.parametrize("live", [0, 1])
def test_codes_that_fill_no_plane_are_placed_too(live):
    z = np.zeros((40, 3))
    z[:, :live] = np.linspace(-1, 1, 40)[:, None]
    points = embed(z, neighbours=5)
    assert np.isfinite(points).all()
    if live:
        ends = np.linalg.norm(points[0] - points[-1])
        assert ends > 5 * np.linalg.norm(points[0] - points[1])


@pytest.mark.untyped
def test_what_cannot_be_embedded_is_refused(clusters):
    z, _ = clusters
    with pytest.raises(ValueError, match="expected the method tsne or umap, got 'pca'"):
        embed(z, "pca")
    for neighbours in (1, 60):
        with pytest.raises(ValueError, match="expected from 2 to 59 neighbours for 60 codes"):
            embed(z, neighbours=neighbours)


def test_each_part_has_its_panel_and_each_point_the_colour_of_its_label(clusters):
    z, labels = clusters
    parts = {"specified": [0, 1, 2], "unspecified": [3, 4, 5]}
    names = ["square", "ellipse", "heart"]
    figure = embedding_figure(z, labels, "shape", names, parts, neighbours=10, seed=4)
    some = np.random.default_rng(4).permutation(60)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(parts)
    for axes, part in zip(figure.axes, parts.values(), strict=True):
        points = embed(z[some][:, part], neighbours=10, seed=4)
        for value, shown in enumerate(axes.collections):
            np.testing.assert_allclose(shown.get_offsets(), points[labels[some] == value])
            assert to_hex(shown.get_facecolor()[0]) == COLOURS[value].lower()
    legend = figure.legends[0]
    assert legend.get_title().get_text() == "shape"
    assert [text.get_text() for text in legend.get_texts()] == names


def test_many_values_are_shades(clusters):
    z, _ = clusters
    v = np.arange(60) % 20 + 5
    figure = embedding_figure(z, v, "orientation", neighbours=10, seed=0)
    axes, bar = figure.axes
    some = np.random.default_rng(0).permutation(60)
    np.testing.assert_array_equal(axes.collections[0].get_array(), v[some])
    assert axes.collections[0].get_clim() == (5, 24)
    assert bar.get_ylabel() == "orientation"


def test_ten_classes_differ_in_colour_or_marker(clusters):
    z, _ = clusters
    figure = embedding_figure(z, np.arange(60) % 10, neighbours=10)
    looks = {
        (to_hex(shown.get_facecolor()[0]), shown.get_paths()[0].vertices.size)
        for shown in figure.axes[0].collections
    }
    assert len(looks) == 10


def test_wrong_labels_and_parts_are_refused(clusters):
    z, labels = clusters
    for wrong in (labels[:9], labels + 0.5, labels[:, None]):
        with pytest.raises(ValueError, match="expected 60 integers, the label of each code"):
            embedding_figure(z, wrong)
    with pytest.raises(ValueError, match="2 names for values from 0 to 2"):
        embedding_figure(z, labels, names=["a", "b"])
    for parts in ({"a": []}, {"a": [6]}):
        with pytest.raises(ValueError, match="a must have dimensions from 0 to 5"):
            embedding_figure(z, labels, parts=parts)
    with pytest.raises(ValueError, match="no part of the code"):
        embedding_figure(z, labels, parts={})
