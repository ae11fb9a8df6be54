import json

import imageio.v3 as imageio
import pytest
from painted import painted_run
from PIL import Image

from disvae.cli import plot
from disvae.cli.main import main
from disvae.plots import film_kinds, image_kinds
from disvae.training import load_run
from disvae.training.run import RunDirectory


@pytest.fixture
def run(tmp_path):
    return painted_run(tmp_path / "run").path


@pytest.fixture
def calls(monkeypatch) -> dict[str, dict]:
    """Which options each kind was given, of kinds that draw nothing."""
    given: dict[str, dict] = {}

    def record(name):
        real = plot.KINDS[name]

        def kind(run, **options):
            given[name] = options
            raise plot.NotApplicableError("it is a test")

        kind.__signature__ = plot.signature(real)
        kind.__doc__ = real.__doc__
        return kind

    kinds = {name: record(name) for name in ("samples", "traversals", "interpolation")}
    monkeypatch.setattr(plot, "KINDS", kinds)
    return given


def test_several_kinds_at_once_into_the_run_directory(run, capsys):
    assert main(["plot", str(run), "samples", "interpolation", "--columns", "3"]) == 0
    assert imageio.imread(run / "samples.png").shape[1] == 1800
    assert imageio.imread(run / "interpolation.png").shape[1] == 1800
    assert capsys.readouterr().out.count("wrote ") == 2


def test_an_animation_in_each_format(run, tmp_path):
    for ending in ("gif", "webp"):
        assert main(["plot", str(run), "traversal-animation", f"--format={ending}"]) == 0
        with Image.open(run / f"traversal-animation.{ending}") as file:
            assert file.n_frames == 22
    output = str(tmp_path / "new" / "moving.webp")
    few = ["--steps", "3", "--output", output]
    assert main(["plot", str(run), "traversal-animation", *few]) == 0
    with Image.open(output) as file:
        assert file.n_frames == 4


def test_all_says_what_it_skipped_and_why(run, tmp_path, capsys):
    folder = tmp_path / "pictures"
    assert main(["plot", str(run), "all", "--format", "webp", "--output", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "skipped training-animation: " in printed
    assert "train with --keep_every STEPS" in printed
    skipped = [
        line.split()[1].rstrip(":") for line in printed.splitlines() if line.startswith("skipped")
    ]
    names = {file.stem for file in folder.iterdir()}
    assert names | set(skipped) == set(plot.KINDS)
    assert {"samples", "traversal-animation"} <= names
    assert {file.suffix for file in folder.iterdir()} == {".webp"}


def test_json_is_the_files_and_nothing_else(run, capsys):
    assert main(["plot", str(run), "samples", "interpolation", "--json"]) == 0
    files = {kind: str(run / f"{kind}.png") for kind in ("samples", "interpolation")}
    assert json.loads(capsys.readouterr().out) == {"files": files, "skipped": {}}


def test_json_has_the_reasons_of_what_was_skipped(run, calls, capsys):
    assert main(["plot", str(run), "all", "--json"]) == 0
    reasons = dict.fromkeys(plot.KINDS, "it is a test")
    assert json.loads(capsys.readouterr().out) == {"files": {}, "skipped": reasons}


def test_what_a_run_lacks_is_an_error_if_asked_for_by_name(run, capsys):
    assert main(["plot", str(run), "training-animation"]) == 2
    assert "train with --keep_every STEPS" in capsys.readouterr().err


def test_each_kind_gets_its_options_and_keeps_its_own_defaults(run, calls):
    shared = ["--columns", "4", "--images", "3", "40", "--posterior", "--path=dimensions"]
    assert main(["plot", str(run), "all", *shared]) == 0
    samples, traversals, between = (
        calls[kind] for kind in ("samples", "traversals", "interpolation")
    )
    assert samples == {"rows": 4, "columns": 4, "scale": None, "seed": 0}
    assert (traversals["images"], traversals["posterior"]) == ([3, 40], True)
    assert (traversals["rows"], traversals["range"]) == (None, 2.0)
    assert (between["images"], between["path"], between["rows"]) == ([3, 40], "dimensions", 4)


@pytest.mark.parametrize("written", [["3", "40"], ["3,40"], ["[3, 40]"]])
def test_ways_to_write_a_list_and_a_switch(run, calls, written):
    main(["plot", str(run), "all", "--images", *written, "--posterior", "false"])
    assert calls["traversals"]["images"] == [3, 40]
    assert calls["traversals"]["posterior"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sampels"], "unknown kind 'sampels'; did you mean 'samples'?"),
        (["samples", "--colums", "3"], "unknown option '--colums' of samples; did you mean '--col"),
        (["samples", "--posterior"], "unknown option '--posterior' of samples"),
        (["samples", "--rows", "two"], "--rows"),
        (["samples", "--rows"], "--rows needs one value, got none"),
        (["samples", "--rows", "1", "2"], "--rows needs one value, got 1 2"),
        (["samples", "--format", "mp4"], "samples.mp4 cannot hold this picture"),
        (["samples", "--format", "bmp"], "--format"),
        (["traversals", "--images", "125"], "images must be from 0 to 124, got 125"),
        (["samples", "traversals", "--output", "a.png"], "one file for 2 pictures"),
        ([], "say which run and what to draw"),
    ],
)
def test_mistakes_are_one_line(run, capsys, arguments, message):
    assert main(["plot", str(run), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["plot", str(tmp_path), "samples"]) == 2
    assert "is not a run directory" in capsys.readouterr().err


def test_pictures_go_with_the_end_of_training_that_they_show(run, tmp_path):
    elsewhere = tmp_path / "kept.png"
    assert main(["plot", str(run), "samples", "--columns", "2", "--rows", "1"]) == 0
    assert main(["plot", str(run), "samples", "--output", str(elsewhere)]) == 0
    mine = run / "mine.png"
    mine.write_bytes(b"")
    directory = RunDirectory(run, load_run(run).config)
    directory.go_on({})
    assert (run / "samples.png").exists()
    directory.write_end({"model": {}, "criterion": {}})
    assert not (run / "samples.png").exists()
    assert not (run / "pictures.txt").exists()
    assert elsewhere.exists()
    assert mine.exists()


@pytest.mark.parametrize("kind", plot.KINDS)
def test_help_explains_every_option_of_a_kind(kind, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["plot", "anywhere", kind, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    options = [name for name in plot.signature(plot.KINDS[kind]).parameters if name != "run"]
    for option in (*options, "output", "format", "json"):
        words = text[text.index(f"  --{option} ") + 2 :].partition("\n  --")[0].split()
        assert sum(word.islower() for word in words) > 4, f"--{option} has no help"


def test_help_lists_the_kinds(capsys):
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    text = capsys.readouterr().out
    assert all(kind in text for kind in (*plot.KINDS, "all"))


def test_names_of_files_are_those_of_the_functions():
    for kind, function in plot.KINDS.items():
        if function.__module__ in (image_kinds.__name__, film_kinds.__name__):
            assert kind == function.__name__.replace("_", "-")
