"""The models that come with the package."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
import yaml

import disvae
from disvae.cli.main import main
from disvae.data import Sprites
from disvae.metrics import evaluate_model
from disvae.pretrained import load_pretrained, pretrained_names
from disvae.pretrained.packed import PACKAGE, find_run
from disvae.training import load_run

NAMES = pretrained_names()
FILES = {"config.yaml", "model.safetensors", "log.jsonl", "evaluation.json", "README.md"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home of its own, and an empty folder to be in."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DISVAE_PRETRAINED", raising=False)
    monkeypatch.chdir(here)
    return home


@pytest.fixture(scope="module")
def sprites() -> Sprites:
    return Sprites(size=32)


def contents(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_the_models_are_small() -> None:
    assert "sprites-beta-tcvae" in NAMES
    assert sum(len(content) for content in contents(PACKAGE).values()) <= 3e6


@pytest.mark.parametrize("name", NAMES)
def test_a_packed_folder_holds_no_path_of_a_machine(name: str) -> None:
    assert {file.name for file in (PACKAGE / name).iterdir()} == FILES
    config = yaml.safe_load((PACKAGE / name / "config.yaml").read_text("utf-8"))
    assert not any("/" in word for word in config["provenance"]["command"])
    assert "platform" not in config["provenance"]
    card = (PACKAGE / name / "README.md").read_text("utf-8")
    assert f'disvae.load_pretrained("{name}")' in card


@pytest.mark.parametrize("name", NAMES)
def test_a_model_encodes_sprites_and_has_the_mig_of_its_card(name: str, sprites: Sprites) -> None:
    model = disvae.load_pretrained(name)
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    scores = evaluate_model(
        model, sprites, n=2_000, metrics=["MIG"], preset="disentanglement_lib", progress=False
    )
    evaluation = json.loads((PACKAGE / name / "evaluation.json").read_text("utf-8"))
    measured = evaluation["trained"]["MIG"]["value"]
    assert f"| MIG | {measured:.3f} |" in (PACKAGE / name / "README.md").read_text("utf-8")
    assert float(scores["MIG"]) == pytest.approx(measured, abs=0.04)  # 10,000 images there


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'sprites-beta-tcvae'.*known: .*sprites-"):
        load_pretrained("sprites_beta_tcva")


def test_a_run_that_is_missing_is_told_of_the_pretrained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["traverse", "sprites-beta"]) == 2
    error = capsys.readouterr().err
    assert "sprites-beta is not a run directory" in error
    assert "sprites-beta-tcvae" in error


def test_verbs_take_a_name_for_a_run(home: Path) -> None:
    package = contents(PACKAGE)
    assert main(["traverse", "sprites-beta-tcvae", "--output", "picture.png"]) == 0
    assert Path("picture.png").stat().st_size > 5_000
    few = ["--points", "500", "--metrics", "MIG"]
    assert main(["evaluate", "sprites-beta-tcvae", *few]) == 0
    unpacked = home / ".disvae" / "pretrained" / "sprites-beta-tcvae"
    assert json.loads((unpacked / "evaluation.json").read_text("utf-8"))["points"] == 500
    assert (unpacked / "codes-trained.npz").is_file()
    assert contents(PACKAGE) == package
    assert [path.name for path in Path().iterdir()] == ["picture.png"]


def test_loading_writes_nothing(home: Path) -> None:
    load_pretrained("sprites-beta-tcvae")
    assert not list(home.iterdir())


def test_a_copy_is_made_once_and_replaced_when_its_weights_differ(home: Path) -> None:
    folder = find_run("sprites-beta-tcvae")
    assert folder == home / ".disvae" / "pretrained" / "sprites-beta-tcvae"
    assert contents(folder) == contents(PACKAGE / "sprites-beta-tcvae")
    (folder / "dimensions.json").write_text("{}")
    assert find_run("sprites-beta-tcvae") == folder
    assert (folder / "dimensions.json").exists()  # what a user adds stays
    (folder / "model.safetensors").write_bytes(b"of another version")
    assert load_run("sprites-beta-tcvae").path == folder
    assert contents(folder) == contents(PACKAGE / "sprites-beta-tcvae")
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]


def test_the_folder_of_copies_can_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISVAE_PRETRAINED", str(tmp_path / "elsewhere"))
    assert find_run("sprites-beta-tcvae") == tmp_path / "elsewhere" / "sprites-beta-tcvae"


def test_a_folder_of_that_name_comes_first() -> None:
    Path("sprites-beta-tcvae").mkdir()
    assert find_run("sprites-beta-tcvae") == Path("sprites-beta-tcvae")
    assert find_run("runs/none") == Path("runs/none")


def test_a_run_is_packed_in_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(__file__).parents[1] / "benchmarks" / "pretrained.py"
    spec = importlib.util.spec_from_file_location("packing", file)
    assert spec
    assert spec.loader
    packing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(packing)
    small = ["--data.size", "16", "--n_images", "300", "--steps", "2", "--model.latent_dim", "3"]
    train = ["train", *small, "--precision", "32-true", "--progress", "false"]
    command = ["/bin/disvae", *train, "--run_dir", str(tmp_path / "run")]
    monkeypatch.setattr("sys.argv", command)
    assert main(command[1:]) == 0
    few = ["--points", "300", "--repeats", "2", "--codes", "20"]
    packing.main([str(tmp_path / "run"), "tiny", "--output", str(tmp_path / "packed"), *few])
    packed = load_run(tmp_path / "packed" / "tiny")
    assert {file.name for file in packed.path.iterdir()} == FILES
    assert packed.config["provenance"]["command"] == ["disvae", *train]
    half = packed.model().state_dict()
    for name, weight in load_run(tmp_path / "run").model().state_dict().items():
        assert half[name].equal(weight.half().float())
    assert (packed.path / "model.safetensors").stat().st_size < 2.1 * sum(
        weight.numel() for weight in half.values()
    )
    evaluation = json.loads((packed.path / "evaluation.json").read_text("utf-8"))
    scores = {"FactorVAE score", "MIG", "FactorVAE score (default preset)"}
    assert evaluation["trained"].keys() == scores
    assert evaluation["decomposition"]["trained"]["n_codes"] == 20
    assert "FactorVAE score (default preset)" in (packed.path / "README.md").read_text("utf-8")
