"""``disvae export``, and the card that it writes of a run."""

import json
import sys

import imageio.v3 as imageio
import pytest
import torch
import yaml
from fake_hub import serving_hub
from huggingface_hub import ModelCard

from disvae.cli.main import main
from disvae.models import VAE
from disvae.training import load_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("factor-run")
    small = ["--n_images", "300", "--steps", "4", "--log_every", "2", "--model.latent_dim", "3"]
    arguments = [*small, "--monitor", "objective", "--progress", "false", "--accelerator", "cpu"]
    network = ["--loss.discriminator", "Discriminator", "--loss.discriminator.latent_dim", "3"]
    network += ["--loss.discriminator.hidden_dim", "8"]
    assert main(["train", *arguments, *network, "--run_dir", str(run)]) == 0
    metrics = ["--metrics", "FactorVAE score,MIG", "--repeats", "3"]
    assert main(["evaluate", str(run), *metrics]) == 0
    return run


def export(run, capsys, *arguments):
    capsys.readouterr()
    assert main(["export", str(run), "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("kind", "suffix"), [("onnx", "onnx"), ("torch-export", "pt2")])
def test_files_say_how_far_they_are_from_the_model(run, kind, suffix, tmp_path, capsys) -> None:
    report = export(run, capsys, "--format", kind, "--output", str(tmp_path / "out"))
    assert report["format"] == kind
    encoder, decoder = report["files"]
    assert encoder["path"] == str(tmp_path / "out" / f"encoder.{suffix}")
    assert encoder["inputs"] == decoder["outputs"] == {"images": ["batch", 1, 64, 64]}
    assert 0 <= max(encoder["largest_difference"], decoder["largest_difference"]) < 1e-4
    assert decoder["largest_difference"] > 0  # PyTorch's upconvolution is not ours to the bit


def test_a_mismatch_is_the_user_s_to_hear(run, tmp_path, capsys) -> None:
    arguments = ["--format", "torch-export", "--tolerance", "1e-12", "--output", str(tmp_path)]
    assert main(["export", str(run), *arguments]) == 2
    assert "decoder.pt2 differs from the model by" in capsys.readouterr().err
    assert not (tmp_path / "decoder.pt2").exists()


def test_pretrained_is_the_run_s_model_and_its_card_has_the_scores(run, capsys) -> None:
    folder = run / "pretrained"
    assert export(run, capsys, "--format", "pretrained")["folder"] == str(folder)
    x = torch.rand(2, 1, 64, 64)
    found, model = VAE.from_pretrained(folder), load_run(run).model()
    assert torch.equal(found.represent(x), model.represent(x))
    assert imageio.imread(folder / "traversal.png").shape[1] == 1080

    card = ModelCard.load(folder / "README.md")
    assert card.data.model_name == run.name
    scores = json.loads((run / "evaluation.json").read_text())["trained"]
    results = {result.metric_name: result for result in card.data.eval_results}
    assert results.keys() == scores.keys() == {"FactorVAE score", "MIG"}
    for name, score in scores.items():
        value, error = score["value"], score["standard_error"]
        assert results[name].metric_value == pytest.approx(value, abs=1e-4)
        assert results[name].dataset_name == "Sprites"
        interval = f"{value - 1.96 * error:.3f} to {value + 1.96 * error:.3f}"
        assert f"| {name} | {value:.3f} | {interval} |" in card.text
    assert "(traversal.png)" in card.text
    assert "Disentangling by Factorising" in card.text  # the loss's reference
    assert "Understanding disentangling in β-VAE" in card.text  # the network's


def test_card_has_the_settings_and_nothing_of_the_machine(run, capsys, tmp_path) -> None:
    # A run on files of this machine
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["data"]["init_args"]["root"] = "/home/someone/data"
    config["command"] = ["python", "/home/someone/train.py"]
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    for name in ("model.safetensors", "criterion.safetensors"):
        (copy / name).write_bytes((run / name).read_bytes())
    report = export(copy, capsys, "--format", "pretrained", "--no_picture")
    text = (copy / "pretrained" / "README.md").read_text()
    settings = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert settings["loss"]["init_args"]["gamma"] == 35.0
    assert (settings["steps"], settings["batch_size"], settings["lr"]) == (4, 64, 1e-4)
    assert "someone" not in text
    assert str(tmp_path) not in text
    assert "provenance" not in settings
    assert "Scores" not in text  # none were measured
    assert "traversal.png" not in text
    assert not (copy / "pretrained" / "traversal.png").exists()
    assert report["folder"] == str(copy / "pretrained")


def test_best_weights_go_without_the_scores_of_the_last(run, capsys, tmp_path) -> None:
    export(run, capsys, "--format", "pretrained", "--best", "--output", str(tmp_path / "best"))
    text = (tmp_path / "best" / "README.md").read_text()
    step = json.loads((run / "best.json").read_text())["step"]
    assert f"weights: of step {step}, the best by objective" in text.replace("'", "")
    assert "## Scores" not in text
    found, model = VAE.from_pretrained(tmp_path / "best"), load_run(run).model(best=True)
    x = torch.rand(2, 1, 64, 64)
    assert torch.equal(found.represent(x), model.represent(x))


def test_pushing(run, capsys, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    arguments = ["--format", "pretrained", "--output", str(folder), "--push_to", "me/sprites"]
    with serving_hub(monkeypatch, tmp_path / "cache") as hub:
        report = export(run, capsys, *arguments, "--private")
        assert report["url"] == f"{hub.url}/me/sprites/commit/{hub.sha('me/sprites')}"
        (files,) = hub.repos["me/sprites"]
        assert hub.private["me/sprites"]
        model = VAE.from_pretrained("me/sprites")
    assert files.keys() == {"README.md", "config.json", "model.safetensors", "traversal.png"}
    assert 'from_pretrained("me/sprites")' in files["README.md"].decode()
    x = torch.rand(2, 1, 64, 64)
    assert torch.equal(model.represent(x), load_run(run).model().represent(x))


def test_mistakes_are_named(run, capsys) -> None:
    for arguments, expected in (
        (["--push_to", "me/x"], "give --format pretrained with it, not onnx"),
        (["--format", "tflite"], "onnx"),
        (["--outptu", "x"], "did you mean '--output'?"),
    ):
        assert main(["export", str(run), *arguments]) == 2
        assert expected in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_what_onnx_needs_is_said(missing, run, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["export", str(run)]) == 2
    assert f"needs the package {missing}: pip install 'disvae[onnx]'" in capsys.readouterr().err
