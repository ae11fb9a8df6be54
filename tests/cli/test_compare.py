import json
import shutil

import imageio.v3 as imageio
import pytest

from disvae.cli.main import main
from disvae.metrics import evaluate_model
from disvae.training import load_run


def train(folder, *options):
    small = ["--n_images", "60", "--steps", "2", "--model.latent_dim", "3", "--data.size", "16"]
    arguments = [*small, "--progress", "false", "--accelerator", "cpu", "--run_dir", str(folder)]
    assert main(["train", *arguments, *options]) == 0
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    vae = train(folder / "vae", "--loss", "VAELoss")
    return [vae, train(folder / "beta", "--loss", "BetaVAEHLoss", "--loss.beta", "8")]


def compare(runs, output, *options):
    fast = ["--points", "60", "--repeats", "2", "--decompose", "20", "--output", str(output)]
    return main(["compare", *map(str, runs), *fast, *options])


@pytest.fixture(scope="module")
def compared(runs, tmp_path_factory):
    output = tmp_path_factory.mktemp("compared")
    assert compare(runs, output) == 0
    return output


def test_compare_scores_each_run_as_evaluate_model_does(runs, compared):
    report = json.loads((compared / "compare.json").read_text())
    assert list(report["scores"]) == ["vae", "beta", "untrained"]
    for folder, name in zip(runs, ("vae", "beta"), strict=True):
        run = load_run(folder)
        expected = evaluate_model(
            run.model(), run.data(), n=60, metrics=["MIG"], preset="disentanglement_lib"
        )
        assert report["scores"][name]["MIG"]["value"] == pytest.approx(float(expected["MIG"]))
        assert report["scores"][name]["MIG"]["standard_error"] > 0


def test_parts_of_the_cost_belong_to_each_model(compared):
    report = json.loads((compared / "compare.json").read_text())
    costs = report["decomposition"]
    assert list(costs) == ["vae", "beta", "untrained"]
    assert len({cost["reconstruction"]["nats"] for cost in costs.values()}) == 3
    assert costs["vae"]["n_images"] == 60


def test_each_factor_has_the_dimension_that_knows_most_of_it(compared):
    report = json.loads((compared / "compare.json").read_text())
    table = report["scores"]["beta"]["MIG"]["details"]["mutual_information"]
    for row, information in zip(report["rows"]["beta"].values(), table, strict=True):
        assert row["dimension"] == information.index(max(information))


def test_picture_has_a_column_for_each_run(runs, compared, tmp_path):
    two = imageio.imread(compared / "compare.png")
    assert compare(runs[:1], tmp_path) == 0
    one = imageio.imread(tmp_path / "compare.png")
    assert two.shape[1] == 2 * one.shape[1]


def test_json_is_what_is_written(runs, tmp_path, capsys):
    assert compare(runs, tmp_path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        (tmp_path / "compare.json").read_text()
    )


def test_runs_on_different_data_are_refused(runs, tmp_path, capsys):
    other = train(tmp_path / "other", "--loss", "VAELoss", "--data.size", "32")
    assert compare([runs[0], other], tmp_path) == 2
    assert "vae and other were trained on different data" in capsys.readouterr().err


def test_runs_of_other_seeds_are_scored_on_the_same_images(runs, tmp_path):
    other = train(tmp_path / "other", "--loss", "VAELoss", "--seed", "1")
    assert compare([runs[0], other], tmp_path / "out") == 0
    scores = json.loads((tmp_path / "out" / "compare.json").read_text())["scores"]
    model, data = load_run(other).model(), load_run(runs[0]).data()
    expected = evaluate_model(model, data, n=60, metrics=["MIG"], preset="disentanglement_lib")
    assert scores["other"]["MIG"]["value"] == pytest.approx(float(expected["MIG"]))


def test_runs_of_one_name_go_by_their_paths(runs, tmp_path):
    twin = shutil.copytree(runs[0], tmp_path / "vae")
    assert compare([runs[0], twin], tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert list(report["runs"]) == [str(runs[0]), str(twin)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metrics", "SAP"], "--metrics SAP lacks MIG"),
        (["--points", "1"], "--points must be at least 2, got 1"),
        (["--metrics", "MIGG,MIG"], "did you mean 'MIG'?"),
    ],
)
def test_a_mistake_is_said_before_any_work(runs, tmp_path, capsys, options, message):
    assert main(["compare", str(runs[0]), "--output", str(tmp_path / "no"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_a_run_given_twice_is_refused(runs, tmp_path, capsys):
    assert compare([runs[0], runs[0]], tmp_path) == 2
    assert "a run is given twice" in capsys.readouterr().err
