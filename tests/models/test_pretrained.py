"""Models come back from folders and from a hub as they were, and nothing else comes with them."""

import json
import sys

import pytest
import torch
from fake_hub import serving_hub
from huggingface_hub import ModelCard
from torch import nn

from disvae.likelihoods import LearnedGaussian
from disvae.models import MLPVAE, VAE, BurgessVAE, ChestMNISTVAE, KimVAE


def assert_same(found: VAE, model: VAE) -> None:
    assert type(found) is type(model)
    assert not found.training
    state, expected = found.state_dict(), model.state_dict()
    assert state.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(state[name], tensor), name
        assert state[name].dtype == tensor.dtype


@pytest.mark.parametrize(
    "model",
    [
        KimVAE((3, 32, 20), latent_dim=4, hidden_dim=32),
        MLPVAE((1, 6, 6), 3, (7, 5), LearnedGaussian()),
        MLPVAE((1, 6, 6), 3, (7,)).double(),
        MLPVAE((1, 6, 6), 3, (7,)).bfloat16(),
    ],
    ids=["kim", "learned", "double", "bfloat16"],
)
def test_round_trip_by_a_folder(model, tmp_path) -> None:
    folder = model.save_pretrained(tmp_path / "deep" / "model")
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert_same(VAE.from_pretrained(folder), model)
    assert_same(type(model).from_pretrained(str(folder)), model)


def test_statistics_of_batch_normalisation_are_weights_too(tmp_path) -> None:
    model = ChestMNISTVAE((1, 28, 28), latent_dim=2)
    model(torch.rand(8, 1, 28, 28))
    assert_same(VAE.from_pretrained(model.save_pretrained(tmp_path)), model)


def test_a_model_of_modules_cannot_be_saved(tmp_path) -> None:
    with pytest.raises(ValueError, match="cannot describe a Linear"):
        VAE(nn.Linear(2, 2), nn.Linear(1, 2), latent_dim=1).save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_another_class_is_refused(tmp_path) -> None:
    folder = MLPVAE((1, 6, 6)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"MLPVAE is not a subclass of disvae.models.burgess"):
        BurgessVAE.from_pretrained(folder)


@pytest.fixture
def strangers_module(tmp_path, monkeypatch):
    """A module that leaves a mark when it is imported."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "strange.py").write_text(
        "from pathlib import Path\n"
        "Path(__file__).with_name('ran').touch()\n"
        "from disvae.models import MLPVAE, VAE\n"
        "class StrangeVAE(VAE):\n"
        "    def __init__(self, latent_dim: int = 2):\n"
        "        inner = MLPVAE((1, 4, 4), latent_dim, (3,))\n"
        "        super().__init__(inner.encoder, inner.decoder, latent_dim)\n"
    )
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("strange", None)


@pytest.mark.parametrize("where", ["model", "likelihood", "list"])
def test_no_module_of_a_stranger_is_imported(where, strangers_module, tmp_path) -> None:
    folder = MLPVAE((1, 6, 6), 3, (7,)).save_pretrained(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    strange = {"class_path": "strange.StrangeVAE", "init_args": {}}
    if where == "model":
        config["model"] = strange
    elif where == "likelihood":
        config["model"]["init_args"]["likelihood"] = strange
    else:
        config["model"]["init_args"]["hidden"] = [strange]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"names 'strange.StrangeVAE'.*trust=\['strange"):
        VAE.from_pretrained(folder)
    assert not (strangers_module / "ran").exists()


def test_a_class_of_one_s_own_is_loaded_on_request(strangers_module, tmp_path) -> None:
    from strange import StrangeVAE

    model = StrangeVAE()
    folder = model.save_pretrained(tmp_path / "model")
    assert 'trust=["strange"]' in (folder / "README.md").read_text()
    for trust in ("strange", "strange.StrangeVAE"):
        assert_same(VAE.from_pretrained(folder, trust=[trust]), model)
    with pytest.raises(ValueError, match=r"which is none of disvae\.models, disvae\.likelihoods"):
        VAE.from_pretrained(folder, trust=["strang", "strange.StrangeVAE.x", "range"])


@pytest.mark.parametrize(
    "path", ["disvae.cli.main.main", "disvae.data.ImageFolder", "disvae.models_of_mine.X", "os.x"]
)
def test_not_even_all_of_disvae_is_trusted(path, tmp_path) -> None:
    folder = MLPVAE((1, 6, 6)).save_pretrained(tmp_path)
    config = {"model": {"class_path": path, "init_args": {}}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=f"names '{path}'"):
        VAE.from_pretrained(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "describes no model of disvae"),
        ('{"model_type": "bert"}', "describes no model of disvae"),
        ('{"model": {"class_path": "disvae.models.MLPVAE", "init_args": {"x": 1}}}', "argument"),
        ('{"model": {"class_path": "disvae.models.MLPVAE", "init_args": [1]}}', "cannot make"),
        ('{"model": {"class_path": 3}}', "names 3"),
        ('{"model": {}}', "dotted 'class_path'"),
        ('{"model": {"class_path": "disvae.models.NoVAE"}}', "no class NoVAE"),
    ],
)
def test_damaged_descriptions_are_named(config, message, tmp_path) -> None:
    folder = MLPVAE((1, 6, 6)).save_pretrained(tmp_path)
    (folder / "config.json").write_text(config)
    with pytest.raises(ValueError, match=message) as error:
        VAE.from_pretrained(folder)
    assert "config.json" in str(error.value)


def test_damaged_and_missing_files_are_named(tmp_path) -> None:
    folder = MLPVAE((1, 6, 6), 3).save_pretrained(tmp_path / "a")
    other = MLPVAE((1, 6, 6), 4).save_pretrained(tmp_path / "b")
    weights = folder / "model.safetensors"
    weights.write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"model\.safetensors: .*size mismatch"):
        VAE.from_pretrained(folder)
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"cannot make the model of .*model\.safetensors"):
        VAE.from_pretrained(folder)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match="expected what save_pretrained writes"):
        VAE.from_pretrained(folder)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with serving_hub(monkeypatch, tmp_path / "cache") as hub:
        yield hub


def test_round_trip_by_the_hub(hub, tmp_path) -> None:
    first, second = MLPVAE((1, 6, 6), 3, (7,)), MLPVAE((1, 6, 6), 4, (7,))
    address = first.push_to_hub("me/model")
    old = hub.sha("me/model")
    assert address == f"{hub.url}/me/model/commit/{old}"
    assert_same(VAE.from_pretrained("me/model"), first)
    second.push_to_hub("me/model", message="better")
    assert_same(VAE.from_pretrained("me/model"), second)
    assert_same(VAE.from_pretrained("me/model", revision=old), first)
    assert sorted(hub.repos["me/model"][-1]) == ["README.md", "config.json", "model.safetensors"]
    assert set(hub.downloads) == {"config.json", "model.safetensors"}
    assert hub.private == {"me/model": False}


def test_what_is_kept_needs_no_server(hub, tmp_path) -> None:
    model = MLPVAE((1, 6, 6), 3, (7,))
    model.push_to_hub("me/secret", private=True, card="# mine\n")
    assert hub.private["me/secret"]
    assert hub.repos["me/secret"][0]["README.md"] == b"# mine\n"
    place = tmp_path / "elsewhere"
    assert_same(VAE.from_pretrained("me/secret", cache_dir=place), model)
    hub.downloads.clear()
    again = VAE.from_pretrained("me/secret", cache_dir=place, local_files_only=True)
    assert_same(again, model)
    assert hub.downloads == []
    with pytest.raises(FileNotFoundError, match="me/secret is no folder"):
        VAE.from_pretrained("me/secret", cache_dir=tmp_path / "empty", local_files_only=True)


@pytest.mark.parametrize("source", ["me/nothing", "no/such/folder", "runs/factor/"])
def test_what_is_nowhere(hub, source) -> None:
    with pytest.raises(FileNotFoundError, match=f"{source} is no folder, and no model that can"):
        VAE.from_pretrained(source)


def test_strangers_may_not_write(hub) -> None:
    model = MLPVAE((1, 6, 6), 3, (7,))
    with pytest.raises(ConnectionError, match="the hub does not take me/model"):
        model.push_to_hub("me/model", token="hf_wrong")
    assert hub.repos == {}


def test_without_a_connection(hub) -> None:
    hub.shutdown()
    hub.server_close()
    model = MLPVAE((1, 6, 6), 3, (7,))
    with pytest.raises(ConnectionError, match=r"the hub does not take me/model .*can you reach it"):
        model.push_to_hub("me/model")
    with pytest.raises(FileNotFoundError, match="me/model is no folder"):
        VAE.from_pretrained("me/model")


def test_names_that_no_repository_has(hub) -> None:
    with pytest.raises(ValueError, match="a/b/c"):
        MLPVAE((1, 6, 6)).push_to_hub("a/b/c")


def test_card_is_one_that_the_hub_reads(tmp_path) -> None:
    folder = KimVAE((1, 32, 32), latent_dim=6).save_pretrained(tmp_path / "sprites")
    card = ModelCard.load(folder / "README.md")
    assert card.data.library_name == "disvae"
    assert "disentanglement" in card.data.tags
    assert 'LatentModel.from_pretrained("sprites")' in card.text
    assert "`KimVAE`" in card.text
    assert "Disentangling by Factorising" in card.text
