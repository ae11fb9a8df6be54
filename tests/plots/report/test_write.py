import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from report_page import cells, read_page

from disvae.cli.main import main
from disvae.divergence import KLDecomposition
from disvae.plots import ReportSettings, mean_kl, traverse, write_report
from disvae.plots.report.write import SECTIONS, distinct_names
from disvae.training import decompose_dataset, load_run

FEW = ReportSettings(metrics=["FactorVAE score", "MIG"], repeats=3, n_codes=50, images=[5, 9])
NONE = ReportSettings(metrics=["MIG"], repeats=0, n_codes=0)


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    return write_report([run], tmp_path_factory.mktemp("page") / "page.html", FEW)


@pytest.fixture(scope="module")
def page(file):
    return read_page(file)


@pytest.fixture(scope="module")
def both(run, other_run, tmp_path_factory):
    return read_page(
        write_report([run, other_run], tmp_path_factory.mktemp("page") / "both.html", FEW)
    )


def as_bytes(images):
    return images.clamp(0, 1).mul(255).round().byte().numpy()


def test_every_section_is_there_and_linked(page):
    assert [s.attributes["id"] for s in page.all("section")] == [id for id, _ in SECTIONS]
    links = [a.attributes["href"] for a in page.one("nav").all("a")]
    assert links == [f"#{id}" for id, _ in SECTIONS]
    assert page.one("h1").text == "vae"
    assert "VAELoss · BurgessVAE · 300 images of Sprites · 12 steps" in page.one("header").text


def test_nothing_comes_from_elsewhere(file):
    html = file.read_text(encoding="utf-8")
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert "src=" not in html
    assert html.count("url(") == html.count("url(data:image/png;base64,") + html.count("url(#clip-")
    assert "default-src 'none'" in html


def test_the_sheet_of_each_dimension_holds_the_decoded_images(run, page):
    finished = load_run(run)
    model, data = finished.model(), finished.data()
    starts = data.floats(torch.tensor([5, 9]))
    values = torch.linspace(-2, 2, 17).tolist()
    expected = torch.stack([traverse(model, x, values) for x in starts], 1)
    kl = mean_kl(model, data.floats(torch.arange(300)))
    shown = page.one(id="traversals").all(class_="dimension")
    assert len(shown) == 3
    for card, j in zip(shown, kl.argsort(descending=True).tolist(), strict=True):
        np.testing.assert_array_equal(
            cells(card.attributes["style"]), as_bytes(expected[j, :, :, 0])
        )
        assert f"{kl[j]:.2f} nats" in card.one(class_="label").text
        own = [float(code) for code in card.attributes["data-own"].split()]
        assert own == pytest.approx(model.represent(starts)[:, j].tolist(), abs=1e-5)
        slider = card.one("input", type="range")
        assert int(slider.attributes["value"]) == np.abs(np.array(values) - own[0]).argmin()
        assert slider.attributes["aria-label"].startswith("z")


def test_reconstructions_and_samples_are_the_models(run, page):
    finished = load_run(run)
    model, data = finished.model(), finished.data()
    table = cells(page.one(id="reconstructions").one(class_="cells").attributes["style"])
    assert table.shape == (2, 16, 64, 64)
    images = data.floats(torch.tensor([5, 9]))
    np.testing.assert_array_equal(table[0, :2], as_bytes(images[:, 0]))
    np.testing.assert_array_equal(table[1, :2], as_bytes(model.reconstruct(images)[:, 0].detach()))
    drawn = model.sample(24, generator=torch.Generator().manual_seed(0)).detach()
    table = cells(page.one(id="samples").one(class_="cells").attributes["style"])
    np.testing.assert_array_equal(table[0], as_bytes(drawn[:, 0]))


def test_the_decomposition_is_that_of_the_whole_data_set(run, page):
    finished = load_run(run)
    expected = decompose_dataset(
        finished.model(),
        finished.data(),
        50,
        generator=torch.Generator().manual_seed(0),
        progress=False,
    )
    rows = page.one(id="decomposition").one("table").rows()[1:4]
    for (label, cell), name in zip(rows, KLDecomposition._fields, strict=True):
        mean, error = getattr(expected.mean, name), getattr(expected.standard_error, name)
        low, high = (f"{mean + sign * 1.96 * error:.2f}" for sign in (-1, 1))
        wanted = f"{mean:.2f} {low} to {high}".replace("-", "−")
        assert label.replace("-", " ").lower() == name.replace("_", " ")
        assert cell == wanted
    assert "50 codes under the posteriors of 300 images" in page.one(id="decomposition").text


def test_curves_are_those_of_the_log(run, page):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    charts = page.one(id="curves").all("figure")
    named = {chart.one("b").text: chart for chart in charts}
    assert {"loss", "reconstruction", "KL", "images per second"} <= named.keys()
    for label, name in (("reconstruction", "reconstruction"), ("KL", "kl")):
        points = named[label].one("polyline").attributes["data-points"].split()
        drawn = [tuple(map(float, point.split(","))) for point in points]
        expected = [(line["step"], line[name]) for line in lines]
        np.testing.assert_allclose(drawn, expected, rtol=1e-4)


def test_the_kl_of_each_dimension_and_what_it_knows(run, page):
    finished = load_run(run)
    kl = mean_kl(finished.model(), finished.data().floats(torch.arange(300)))
    table = page.one(id="dimensions").one("table")
    header, *rows, total = table.rows()
    assert header[2:] == [name.replace("_", " ") for name in finished.data().space.names]
    assert [row[1] for row in rows] == [f"{v:.2f}" for v in kl.sort(descending=True).values]
    assert total[1] == f"{kl.sum():.2f}"
    assert all(0 <= int(cell) <= 100 for row in rows for cell in row[2:])


def test_the_configuration_is_complete_and_has_its_provenance(run, page):
    config = yaml.safe_load((run / "config.yaml").read_text())
    settings = dict(page.one(id="configuration").one("table").rows()[1:])
    assert settings["loss"] == "VAELoss"
    assert settings["model.latent_dim"] == "3"
    assert settings["lr"] == str(config["lr"])
    assert not any(key.startswith("provenance") for key in settings)
    start = json.loads((run / "starts.jsonl").read_text())
    told = page.one(id="provenance").text
    assert start["time"] in told
    assert start["versions"]["torch"] in told
    assert " ".join(start["command"]) in told.replace("  ", " ")


def test_a_saved_evaluation_is_shown_as_it_is(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    arguments = ["--metrics", "MIG,SAP", "--repeats", "2", "--untrained", "--decompose", "20"]
    assert main(["evaluate", str(copy), *arguments]) == 0
    report = json.loads((copy / "evaluation.json").read_text())
    file = write_report([copy])
    assert file == copy / "report.html"
    page = read_page(file)
    header, *rows = page.one("table", class_="scores").rows()
    assert header == ["metric", "trained", "untrained"]
    assert [row[0] for row in rows] == ["MIG", "SAP"]
    for metric, *shown in rows:
        for model, cell in zip(("trained", "untrained"), shown, strict=True):
            value, error = (report[model][metric][key] for key in ("value", "standard_error"))
            low, high = value - 1.96 * error, value + 1.96 * error
            assert cell == f"{value:.3f} {low:.3f} to {high:.3f}".replace("-", "−")
    mean = report["decomposition"]["trained"]["mean"]["mutual_information"]
    assert f"{mean:.2f}".replace("-", "−") in page.one(id="decomposition").one("table").rows()[1][1]
    assert "from evaluation.json: 300 images, preset default, seed 0" in page.one(id="scores").text


def test_metrics_that_are_named_are_measured_whatever_was_saved(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "evaluation.json").write_text('{"trained": {"SAP": {"value": 0.5}}}')
    rows = read_page(write_report([copy], None, NONE)).one("table", class_="scores").rows()
    assert [row[0] for row in rows] == ["metric", "MIG"]


def test_several_runs_are_side_by_side(both):
    assert both.one("h1").text == "2 runs compared"
    assert both.one("table", class_="scores").rows()[0] == ["metric", "vae", "beta-tc"]
    table = {row[0]: row[1:] for row in both.one(id="configuration").one("table").rows()[1:]}
    assert table["loss"] == ["VAELoss", "BetaTCVAELoss"]
    assert table["loss.beta"] == ["–", "3.0"]
    assert "model" not in table
    assert "lr" not in table
    chart = next(c for c in both.all("figure") if c.one("b").text == "reconstruction")
    assert [line.one("title").text for line in chart.all("polyline")] == ["vae", "beta-tc"]
    assert len(both.one(id="traversals").all(class_="traversal")) == 2
    assert len(both.one(id="samples").all(class_="cells")) == 2


def test_runs_with_the_same_settings_say_so(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    page = read_page(write_report([run, copy], tmp_path / "page.html", NONE))
    assert "The configurations are the same." in page.one(id="configuration").text


def test_what_a_run_says_is_never_markup(run, tmp_path):
    attack = "<script>alert(1)</script>\"'&"
    copy = shutil.copytree(run, tmp_path / "<img src=x onerror=alert(2)>")
    config = yaml.safe_load((copy / "config.yaml").read_text())
    config["note"] = {attack: attack}
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    (copy / "starts.jsonl").write_text(
        json.dumps({"time": attack, "git": {"commit": attack}, "versions": {attack: attack}}) + "\n"
    )
    (copy / "log.jsonl").write_text(json.dumps({"step": 1, attack: 2.0}) + "\n")
    score = {"value": 0.5, "standard_error": None, "per_factor": {attack: 0.5}}
    report = {"trained": {attack: score}, "skipped": {attack: attack}, "points": attack}
    (copy / "evaluation.json").write_text(json.dumps(report))
    file = write_report([copy])
    page = read_page(file)
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert attack in page.one(id="configuration").text
    assert attack in page.one(id="provenance").text
    assert attack in page.one(id="scores").text
    assert page.one("h1").text == "<img src=x onerror=alert(2)>"


def test_data_too_large_is_not_decomposed_and_says_why(run, tmp_path):
    settings = ReportSettings(metrics=["MIG"], repeats=0, points=100, largest_data=299)
    page = read_page(write_report([run], tmp_path / "page.html", settings))
    told = page.one(id="decomposition")
    assert told.all("table") == []
    assert "not decomposed: the data set has 300 images" in told.text
    assert "Averaged over 100 images." in page.one(id="dimensions").text


def test_fewer_starts_where_a_page_would_be_too_large(run, tmp_path, monkeypatch):
    monkeypatch.setattr("disvae.plots.report.contents.MOST_NUMBERS", 2 * 3 * 17 * 64 * 64 + 1)
    page = read_page(write_report([run], tmp_path / "page.html", NONE))
    assert len(page.all("input", type="radio")) == 2
    card = page.all(class_="dimension")[0]
    assert cells(card.attributes["style"]).shape == (2, 17, 64, 64)


def test_a_report_is_small(run, tmp_path):
    file = write_report([run], tmp_path / "page.html", NONE)
    assert file.stat().st_size < 3 / 10 * 10e6  # 3 dimensions of 10


def test_data_without_factors_has_no_scores(run, tmp_path, monkeypatch):
    from disvae.data import ImageArray

    images = load_run(run).data().images(range(40))
    data = ImageArray(images, max_value=1)
    monkeypatch.setattr("disvae.training.Run.data", lambda self: data)
    page = read_page(write_report([run], tmp_path / "page.html"))
    assert "ImageArray has no factors" in page.one(id="scores").text
    assert page.one(id="dimensions").one("table").rows()[0] == ["dimension", "KL, nats"]
    assert page.all(class_="factor") == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"evaluation.json": "{"}, "evaluation.json is not JSON"),
        ({"evaluation.json": "[]"}, "is no evaluation"),
        ({"evaluation.json": '{"trained": {"MIG": 3}}'}, "scores in evaluation.json"),
        ({"evaluation.json": '{"decomposition": {"trained": {}}}'}, "decomposition in evaluation"),
        ({"log.jsonl": "nonsense\n"}, "holds a line that is no record"),
        ({"log.jsonl": '{"loss": 1}\n'}, "holds a line that is no log line"),
    ],
)
def test_damaged_files_are_named(run, tmp_path, change, expected):
    copy = shutil.copytree(run, tmp_path / "copy")
    for name, content in change.items():
        (copy / name).write_text(content)
    with pytest.raises(ValueError, match=expected):
        write_report([copy], None, ReportSettings(repeats=0))


def test_runs_that_cannot_be_told_apart_are_refused(run, tmp_path):
    with pytest.raises(ValueError, match="one run directory at least"):
        write_report([])
    with pytest.raises(ValueError, match="say which file"):
        write_report([run, tmp_path])
    with pytest.raises(ValueError, match="given twice"):
        write_report([run, run], tmp_path / "page.html")
    with pytest.raises(FileNotFoundError, match="not a run directory"):
        write_report([tmp_path])
    with pytest.raises(ValueError, match="images must be from 0 to 299, got 300"):
        write_report([run], None, ReportSettings(images=[300]))


def test_names_are_as_short_as_they_may_be():
    paths = [Path("/a/x/seed-0"), Path("/a/y/seed-0"), Path("/a/y/seed-1")]
    assert distinct_names(paths) == ["x/seed-0", "y/seed-0", "y/seed-1"]
    assert distinct_names(paths[1:]) == ["seed-0", "seed-1"]
