"""``disvae import``: a results folder of disentangling-vae becomes a run for every verb."""

import json

import numpy as np
import pytest
import torch
from published import idx
from results_folder import weights, write_results

from disvae.cli.main import main
from disvae.models import VAE, load_disentangling_vae
from disvae.training import load_run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("btcvae_dsprites")
    specs = {"img_size": [1, 64, 64], "latent_dim": 3, "model_type": "Burgess"}
    return write_results(folder, weights(1, 64, 3), **specs, loss="btcvae", lr=5e-4)


@pytest.fixture(scope="module")
def run(results, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "btcvae"
    assert main(["import", str(results), str(run), "--data", "sprites"]) == 0
    return run


def test_the_run_has_the_model_the_data_and_what_is_known_of_it(run, results):
    imported = load_run(run)
    x = torch.rand(2, 1, 64, 64)
    assert torch.equal(imported.model().represent(x), load_disentangling_vae(results).represent(x))
    assert imported.model().represent(x).std() > 0.01
    assert len(imported.data()) == 737280
    known = imported.config["imported"]
    assert (known["program"], known["loss"], known["lr"]) == ("disentangling-vae", "btcvae", 5e-4)


def test_verbs_take_it_for_a_run(run):
    few = ["--points", "100"]
    assert main(["evaluate", str(run), "--metrics", "MIG", "--untrained", *few]) == 0
    assert json.loads((run / "evaluation.json").read_text())["trained"].keys() == {"MIG"}
    report = ["--decompose", "0", "--repeats", "0", "--images", "[7]", "--n_frames", "2"]
    for verb, *options in (["traverse"], ["plot", "histograms", *few], ["report", *few, *report]):
        assert main([verb, str(run), *options]) == 0
    assert "btcvae" in (run / "report.html").read_text(encoding="utf-8")
    assert main(["export", str(run), "--format", "pretrained", "--no_picture"]) == 0
    assert VAE.from_pretrained(run / "pretrained").latent_dim == 3


def test_digits_come_in_the_models_size(tmp_path):
    for kind, array in (("images-idx3", np.zeros((4, 28, 28))), ("labels-idx1", np.zeros(4))):
        (tmp_path / f"train-{kind}-ubyte").write_bytes(idx(array.astype(np.uint8)))
    write_results(tmp_path, weights(1, 32, 2), img_size=[1, 32, 32], latent_dim=2)
    data = ["--data", "mnist", "--root", str(tmp_path)]
    assert main(["import", str(tmp_path), str(tmp_path / "run"), *data]) == 0
    assert load_run(tmp_path / "run").data().image_shape == (1, 32, 32)


def test_without_data_it_does_what_needs_none(results, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["import", str(results), str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["run"], said["data"], said["specs"]["latent_dim"]) == (str(run), None, 3)
    np.save(tmp_path / "x.npy", np.zeros((5, 1, 64, 64), dtype=np.uint8))
    assert main(["encode", str(run), "--images", str(tmp_path / "x.npy")]) == 0
    assert main(["sample", str(run), "--n", "2"]) == 0
    assert main(["export", str(run), "--format", "pretrained", "--no_picture"]) == 0
    capsys.readouterr()
    assert main(["traverse", str(run)]) == 2
    assert (
        f"{run} was imported, and has no data: import it again with --data"
        in capsys.readouterr().err
    )


def test_what_does_not_fit_is_refused(run, results, tmp_path, capsys):
    assert main(["import", str(results), str(run)]) == 2
    assert f"{run} holds a run already" in capsys.readouterr().err
    (tmp_path / "small").mkdir()
    small = write_results(tmp_path / "small", weights(3, 32, 2), img_size=[3, 32, 32], latent_dim=2)
    assert main(["import", str(small), str(tmp_path / "run"), "--data", "sprites"]) == 2
    assert "(3, 32, 32) (channels, height, width), but those of Sprites" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(["import", str(tmp_path), str(tmp_path / "run")]) == 2
    assert "specs.json does not exist" in capsys.readouterr().err
