"""The names that somebody gave the dimensions of a run stand wherever these are drawn."""

import io

import pytest
from matplotlib.figure import Figure
from painted import PaintedImages, PaintedVAE, painted_run, picture
from report_page import read_page

from disvae.cli.main import main
from disvae.plots import (
    ReportSettings,
    code_kinds,
    describe_dimensions,
    describe_run,
    film_kinds,
    image_kinds,
    write_report,
)
from disvae.plots.dimensions import axis_label
from disvae.training import write_dimension_names

NAME = "warmth of <b>$all$</b>"
SHOWN = "warmth of\n<b>$all$</b>"


@pytest.fixture
def run(tmp_path):
    """Dimension 2 is the most informative, and knows blue."""
    return painted_run(tmp_path, {0: 0.5, 5: 1.0})


@pytest.fixture
def named(run):
    write_dimension_names(run.path, {2: NAME, 7: "of no dimension"})
    return run


def drawn(label):
    """What a reader sees of matplotlib's text."""
    return label.replace(r"\$", "$")


def row_labels(figure):
    return [drawn(label.get_text()) for label in figure.axes[0].get_yticklabels()]


def test_a_name_stands_in_place_of_the_factor(named):
    model, data = PaintedVAE(), PaintedImages()
    measured, known = describe_dimensions(model, data), describe_run(named, model, data)
    assert measured.called == ["red", "green light", "blue"]
    assert known.called == ["red", "green light", NAME]
    assert known.kl.equal(measured.kl)
    assert drawn(known.label(2)) == f"dimension 2\n{known.kl[2]:.2f} nats\n{SHOWN}"


@pytest.mark.parametrize("name", ["$", "$x$", "x_2^", r"\alpha", "a" * 40, "two  spaces"])
def test_any_name_can_be_drawn_as_it_is(name):
    figure = Figure()
    text = figure.text(0.5, 0.5, axis_label(12, {12: name}))
    figure.savefig(io.BytesIO())  # where a formula that is none would be an error
    assert "".join(drawn(text.get_text()).split()) == "".join(f"{name}$z_{{12}}$".split())


@pytest.mark.parametrize("kind", [image_kinds.traversals, image_kinds.reconstruct_traverse])
def test_rows_of_images_have_names(run, kind):
    before = row_labels(kind(run, columns=3))
    write_dimension_names(run.path, {2: NAME})
    after = row_labels(kind(run, columns=3))
    assert [label.replace(SHOWN, "blue") for label in after] == before != after


def test_the_usual_traversal_has_names_and_starts_in_the_middle(named):
    figure = image_kinds.traversal_of(named, named.model())
    assert row_labels(figure)[0].endswith(SHOWN)
    middle = image_kinds.traversals(named, images=[62])
    assert picture(figure).equal(picture(middle))


def test_no_row_label_is_cut_off(run):
    write_dimension_names(run.path, {2: "horizontal position of the left eyebrow"})
    figure = image_kinds.traversals(run, columns=3)
    figure.savefig(io.BytesIO())
    assert all(label.get_window_extent().x0 > 0 for label in figure.axes[0].get_yticklabels())


def test_films_have_names(run):
    def frames():
        moving = film_kinds.traversal_animation(
            run, rows=1, columns=2, steps=2, posterior=True, seed=0
        )
        training = film_kinds.training_animation(run, rows=1, columns=2)
        return [frame for film in (moving, training) for frame in film.frames]

    before = frames()
    write_dimension_names(run.path, {2: NAME})
    changed = [(a != b).any(-1) for a, b in zip(before, frames(), strict=True)]
    for pixels in changed:
        assert pixels.any()
        assert not pixels[:, pixels.shape[1] // 4 :].any()


def test_traverse_has_names(run):
    pictures = set()
    for name in ("", "warmth"):
        write_dimension_names(run.path, {2: name})
        assert main(["traverse", str(run.path)]) == 0
        pictures.add((run.path / "traversal.png").read_bytes())
    assert len(pictures) == 2


def test_histograms_have_the_names_of_each_run(named, tmp_path_factory):
    other = painted_run(tmp_path_factory.mktemp("other"))
    write_dimension_names(other.path, {2: "other"})
    figure = code_kinds.histograms(named, dimensions=[2, 1], others=[str(other.path)])
    titles = [drawn(axes.get_title(loc="left")).rpartition(":")[0] for axes in figure.axes]
    assert titles == [f"{SHOWN}\n$z_{{2}}$", "$z_{1}$", "other\n$z_{2}$", "$z_{1}$"]


def test_rows_of_factors_have_names(named):
    latents = code_kinds.latents(named, dimensions=[2, 0])
    assert [drawn(axes.get_ylabel()) for axes in latents.axes[::3]] == [
        f"{SHOWN}\n$z_{{2}}$",
        "$z_{0}$",
    ]
    maps = code_kinds.factor_maps(named, over=["red", "blue"])
    assert drawn(maps.axes[0].get_ylabel()).startswith(f"{SHOWN}\n$z_{{2}}$\n")


def test_reports_have_names(named, tmp_path):
    settings = ReportSettings(metrics=["MIG"], repeats=0, n_codes=0, images=[5])
    page = read_page(write_report([named.path], tmp_path / "page.html", settings))
    rows = [row.one("th").text for row in page.one(id="dimensions").one("tbody").all("tr")]
    assert rows == [f"z₂ {NAME}", "z₁", "z₀"]
    card = page.one(id="traversals").all(class_="dimension")[0]
    assert card.one(class_="label").text.startswith(f"z₂ {NAME} ")
    assert card.one("input").attributes["aria-label"] == f"{NAME} (z₂), blue"
    assert card.attributes["data-label"] == f"{NAME} (z₂)"
    assert card.one(class_="view").attributes["aria-label"].startswith(f"image at {NAME} (z₂) = ")
