"""The card says what it was given, in a form that the hub reads, and nothing else."""

import yaml
from huggingface_hub import ModelCard
from torch import nn

from disvae.losses import FactorVAELoss
from disvae.models import MLPVAE, VAE, model_card

MODEL = MLPVAE((1, 6, 6), latent_dim=3)


def score(value, error=None):
    return {"value": value, "standard_error": error, "per_factor": {}, "details": {}}


EVALUATION = {
    "points": 1000,
    "preset": "paper",
    "trained": {"MIG": score(0.25, 0.1), "SAP": score(0.5), "DCI": score(None)},
    "untrained": {"MIG": score(0.03)},
}
SETTINGS = {
    "model": {"class_path": "disvae.models.MLPVAE"},
    "loss": {"class_path": "disvae.losses.FactorVAELoss", "init_args": {"gamma": 35.0, "x": None}},
    "data": {
        "class_path": "disvae.data.RandomSubset",
        "init_args": {"n": 5, "dataset": {"class_path": "disvae.data.DSprites", "init_args": {}}},
    },
    "lr": 1e-4,
    "store": "C:\\images",
    "devices": 1,
    "provenance": {"command": ["/home/someone/x"], "versions": {"torch": "2.0"}},
}


def test_scores_with_and_without_an_interval() -> None:
    card = ModelCard(model_card(MODEL, "me/x", evaluation=EVALUATION, settings=SETTINGS))
    assert "| MIG | 0.250 | 0.054 to 0.446 |" in card.text
    assert "| SAP | 0.500 | not measured |" in card.text
    assert "| DCI | not a number | not measured |" in card.text
    assert "1,000 images" in card.text
    assert "`paper`" in card.text
    assert {r.metric_name: r.metric_value for r in card.data.eval_results} == {
        "MIG": 0.25,
        "SAP": 0.5,
    }
    assert {r.dataset_name for r in card.data.eval_results} == {"DSprites"}
    assert "0.03" not in card.text


def test_settings_are_those_of_the_training_alone() -> None:
    text = model_card(MODEL, "me/x", settings=SETTINGS)
    shown = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert shown == {
        "loss": {"class_path": "disvae.losses.FactorVAELoss", "init_args": {"gamma": 35.0}},
        "data": {
            "class_path": "disvae.data.RandomSubset",
            "init_args": {"n": 5, "dataset": {"class_path": "disvae.data.DSprites"}},
        },
        "lr": 1e-4,
    }
    assert "Trained with torch 2.0." in text
    assert "someone" not in text


def test_nats_alone_are_no_scores() -> None:
    text = model_card(MODEL, "me/x", evaluation={"seed": 0, "evidence": {}}, settings=SETTINGS)
    assert "## Scores" not in text
    assert "model-index" not in text


def test_title_picture_and_references() -> None:
    text = model_card(MODEL, "me/x", title="Boxes", picture="a.png", cites=[FactorVAELoss])
    assert "\n# Boxes\n" in text
    assert "](a.png)" in text
    assert "- Disentangling by Factorising, Kim and Mnih 2018" in text
    plain = model_card(MODEL, "me/x")
    assert "\n# x\n" in plain
    assert "![" not in plain
    assert "Factorising" not in plain


def test_what_loads_it_is_a_program(tmp_path) -> None:
    folder = MODEL.save_pretrained(tmp_path)
    text = model_card(MODEL, str(folder))
    code = text.partition("```python\n")[2].partition("```")[0]
    images = MODEL.sample(2)
    names = {"images": images}
    exec(code, names)
    assert names["codes"].shape == (2, 3)
    assert names["decoded"].shape == images.shape


class OwnVAE(VAE):
    def __init__(self, latent_dim: int = 2) -> None:
        super().__init__(nn.Flatten(), nn.Identity(), latent_dim)


def test_a_class_of_one_s_own_must_be_trusted() -> None:
    assert f'"me/x", trust=["{OwnVAE.__module__}"])' in model_card(OwnVAE(), "me/x")
