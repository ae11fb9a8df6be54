"""Every recipe says what its source says, less its errors, and starts on its data, in tiny."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from published import (
    write_celeba,
    write_chairs3d,
    write_dsprites_npz,
    write_faces3d,
    write_medmnist,
    write_mnist,
    write_shapes3d,
)

from disvae.cli.main import main
from disvae.data import CelebA, Chairs3D, FactorSpace
from disvae.likelihoods import Laplace, Sigmoid
from disvae.recipes import load_recipe, recipe_names
from disvae.schedules import Linear, Piecewise, at_step
from disvae.spec import build
from disvae.training import load_run

# What hyperparam.ini says, section by section, and how many images there are.
IMAGES = {
    "mnist": 60_000,
    "fashion": 60_000,
    "dsprites": 737_280,
    "celeba": 202_599,
    "chairs": 86_366,
}
EPOCHS = {"mnist": 400, "fashion": 400, "dsprites": 30, "celeba": 200, "chairs": 300}
LR = {"VAE": 5e-4, "betaH": 5e-4, "betaB": 1e-3, "factor": 1e-4, "btcvae": 5e-4}
BETA_H = {"mnist": 4.0, "fashion": 4.0, "dsprites": 4.0, "celeba": 10.0, "chairs": 4.0}
CAPACITY = {"mnist": 25.0, "fashion": 25.0, "dsprites": 25.0, "celeba": 50.0, "chairs": 25.0}
FACTOR_GAMMA = {"mnist": 6.0, "fashion": 6.0, "dsprites": 6.4, "celeba": 6.4, "chairs": 3.2}
LR_DISC = {"mnist": 5e-5, "fashion": 5e-5, "dsprites": 1e-4, "celeba": 1e-5, "chairs": 1e-5}
# Corrected: where it follows FactorVAE's gamma, it is 1 more.
BETA_TC = {"mnist": 6.0, "fashion": 6.0, "dsprites": 7.4, "celeba": 7.4, "chairs": 4.2}

DATA = {
    "mnist": ("MNIST", {"split": "train"}),
    "fashion": ("FashionMNIST", {"split": "train"}),
    "dsprites": ("DSprites", {}),
    "celeba": ("CelebA", {"split": "all"}),
    "chairs": ("Chairs3D", {"channels": 1, "crop": 400}),
}


def ramp(end: float, steps: int = 10_000) -> dict:
    arguments = {"start": 0.0, "end": end, "steps": steps}
    return {"class_path": "disvae.schedules.Linear", "init_args": arguments}


def loss(kind: str, data: str) -> tuple[str, dict]:
    return {
        "VAE": ("BetaVAEHLoss", {"beta": ramp(1.0)}),
        "betaH": ("BetaVAEHLoss", {"beta": ramp(BETA_H[data])}),
        "betaB": ("BetaVAEBLoss", {"gamma": 100.0, "capacity": ramp(CAPACITY[data], 100_000)}),
        "factor": (
            "FactorVAELoss",
            {"gamma": ramp(FACTOR_GAMMA[data]), "discriminator_lr": LR_DISC[data]},
        ),
        "btcvae": ("BetaTCVAELoss", tc_weights(1.0, BETA_TC[data], 1.0)),
    }[kind]


def tc_weights(alpha: float, beta: float, gamma: float) -> dict:
    weights = {"alpha": ramp(alpha), "beta": ramp(beta), "gamma": ramp(gamma)}
    return {**weights, "estimator": "mss"}


def spec(path: str, arguments: dict) -> dict:
    return {"class_path": path, "init_args": arguments} if arguments else {"class_path": path}


@pytest.mark.parametrize("data", IMAGES)
@pytest.mark.parametrize("kind", LR)
def test_every_value_of_the_25_of_hyperparam_ini(kind, data) -> None:
    name, arguments = loss(kind, data)
    cls, options = DATA[data]
    assert load_recipe(f"{kind}_{data}").config == {
        "model": spec("disvae.models.BurgessVAE", {"latent_dim": 10}),
        "loss": spec(f"disvae.losses.{name}", arguments),
        "data": spec(f"disvae.data.{cls}", options),
        "lr": LR[kind],
        "batch_size": 64,
        "steps": EPOCHS[data] * math.ceil(IMAGES[data] / 64),
        "seed": 1234,
    }


def test_doubled_batches_and_epochs_are_as_many_steps() -> None:
    """FactorVAE's runs there have batches of 128 for twice as many epochs, 64 images a player."""
    for data, n in IMAGES.items():
        steps = 2 * EPOCHS[data] * math.ceil(n / 128)
        assert load_recipe(f"factor_{data}").config["steps"] == steps


@pytest.mark.parametrize(
    ("data", "alpha", "beta"), [("celeba", -10.0, 20.0), ("dsprites", -5.0, 10.0)]
)
def test_the_best_of_hyperparam_ini(data, alpha, beta) -> None:
    config = load_recipe(f"best_{data}").config
    assert config["loss"] == spec("disvae.losses.BetaTCVAELoss", tc_weights(alpha, beta, 1.0))
    assert config["lr"] == 5e-4
    assert config["steps"] == EPOCHS[data] * math.ceil(IMAGES[data] / 64)


@pytest.mark.parametrize(
    ("name", "data", "latent_dim", "hidden_dim", "gamma", "lr", "steps"),
    [
        ("2d_shapes", "DSprites", 10, 128, 35.0, 1e-4, 300_000),
        ("3d_shapes", "Shapes3D", 6, 256, 7.0, 1e-5, 500_000),
        ("3d_faces", "Faces3D", 10, 256, 6.4, 1e-4, 1_000_000),
        ("3d_chairs", "Chairs3D", 10, 256, 3.2, 1e-5, 1_000_000),
        ("celeba", "CelebA", 10, 256, 6.4, 1e-5, 1_000_000),
    ],
)
def test_the_paper_of_factor_vae(name, data, latent_dim, hidden_dim, gamma, lr, steps) -> None:
    config = load_recipe(f"kim2018_{name}").config
    assert config["model"]["class_path"] == "disvae.models.KimVAE"
    assert config["model"]["init_args"] == {"latent_dim": latent_dim, "hidden_dim": hidden_dim}
    assert config["loss"]["init_args"] == {"gamma": gamma, "discriminator_lr": lr}
    assert config["data"]["class_path"] == f"disvae.data.{data}"
    assert (config["lr"], config["batch_size"], config["steps"]) == (1e-4, 64, steps)


@pytest.mark.parametrize(("name", "loss"), [("gvae", "AdaGVAELoss"), ("ml_vae", "AdaMLVAELoss")])
def test_the_paper_of_ada_gvae(name, loss) -> None:
    config = load_recipe(f"ada_{name}_dsprites").config
    assert config["model"] == spec("disvae.models.KimVAE", {"latent_dim": 10, "hidden_dim": 256})
    assert config["loss"] == spec(f"disvae.losses.{loss}", {"beta": 1.0})
    assert config["source"] == spec("disvae.data.ChangedFactorPairs", {"n_changed": 1})
    assert (config["lr"], config["batch_size"], config["steps"]) == (1e-4, 64, 300_000)


def test_the_settings_of_ml_vae() -> None:
    config = load_recipe("ml_vae_mnist").config
    assert config["loss"] == spec("disvae.losses.MLVAELoss", {"specified": 10, "beta": 1.0})
    assert config["model"]["init_args"]["latent_dim"] == 10 + 10
    assert config["source"] == spec("disvae.data.LabelPairs", {})
    assert 2 * config["batch_size"] == 256  # images
    assert config["steps"] == 400 * (60_000 // 256)


def test_the_settings_of_joint_vae() -> None:
    """As specs.json of the author's trained model has them."""
    config = load_recipe("joint_vae_dsprites").config
    model = {"n_continuous": 6, "categories": [3], "temperature": 0.67}
    assert config["model"] == spec("disvae.models.BurgessMixedVAE", model)
    capacities = {
        "continuous_capacity": ramp(40.0, 300_000),
        "discrete_capacity": ramp(1.1, 300_000),
    }
    assert config["loss"] == spec("disvae.losses.JointVAELoss", {"gamma": 150.0, **capacities})
    assert (config["lr"], config["batch_size"]) == (5e-4, 64)
    assert config["steps"] == 30 * math.ceil(IMAGES["dsprites"] / 64)


def test_the_settings_of_qlae() -> None:
    """As train_ae.yaml has them; twice as many dimensions as factors."""
    config = load_recipe("qlae_dsprites").config
    assert config["model"] == spec("disvae.models.BurgessQLAE", {"latent_dim": 10, "n_values": 10})
    weights = {"quantization": 0.01, "commitment": 0.01, "weight_decay": 0.1}
    assert config["loss"] == spec("disvae.losses.QLAELoss", weights)
    assert (config["lr"], config["batch_size"], config["steps"]) == (1e-3, 128, 200_000)


def test_the_settings_of_the_cycle_consistent_vae() -> None:
    config = load_recipe("cycle_consistent_mnist").config
    assert config["model"]["init_args"]["latent_dim"] == 16 + 16
    arguments = config["loss"]["init_args"]
    # 2 mean squared error + 3 KL / pixels, in units of the summed squared error
    pixels = 28 * 28
    assert arguments["beta"] == (3 / pixels) / (2 / pixels)
    assert arguments["specified"] == config["model"]["init_args"]["specified"] == 16
    assert config["lr"] == 1e-4
    per_epoch = 60_000 // 64
    assert config["steps"] == 100 * per_epoch
    factor = build(config["lr_factor"], Piecewise)
    epoch = [factor(n * per_epoch + 1) for n in (0, 79, 80, 99)]
    assert epoch == pytest.approx([1.0, 1.0, 0.1, 0.1])


def test_steps_of_the_others_are_epochs() -> None:
    chest = load_recipe("chestmnist_factorvae").config
    assert chest["steps"] == 50 * math.ceil(78_468 / 256)
    rises = {key: chest["loss"]["init_args"][key]["init_args"] for key in ("alpha", "beta")}
    assert {rise["steps"] for rise in rises.values()} == {30 * math.ceil(78_468 / 256)}
    assert rises["beta"]["end"] - rises["alpha"]["end"] == pytest.approx(9)  # gamma
    for name, epochs in (("mlp", 30), ("conv", 10)):
        config = load_recipe(f"fashion_mnist_{name}").config
        an_epoch = math.ceil(config["n_images"] / config["batch_size"])
        assert config["steps"] == epochs * an_epoch
        points = dict(config["lr_factor"]["init_args"]["points"])
        for epoch in range(epochs):
            before = max((step for step in points if step <= epoch * an_epoch), default=None)
            assert points.get(before, 1.0) == 0.5 ** (epoch // 2)


@pytest.mark.parametrize(
    ("name", "model", "codes", "loss"),
    [
        ("infogan_mnist", "InfoGANMNIST", (2, [10], 62, "batch"), "InfoGANLoss"),
        ("infowgan_gp_mnist", "InfoGANMNIST", (2, [10], 62, "layer"), "InfoWGANGPLoss"),
        ("infowgan_gp_2d_shapes", "InfoGAN2DShapes", (4, [3], 5, "layer"), "InfoWGANGPLoss"),
    ],
)
def test_the_gans_of_its_appendix(name, model, codes, loss) -> None:
    config = load_recipe(name).config
    keys = ("n_continuous", "categories", "n_noise", "normalization")
    arguments = dict(zip(keys, codes, strict=True))
    assert config["model"] == spec(f"disvae.models.{model}", arguments)
    weights = {"weight": 1.0, "discriminator_lr": 2e-4}
    weights |= {"penalty": 10.0} if "wgan" in name else {}
    assert config["loss"] == spec(f"disvae.losses.{loss}", weights)
    assert config["lr"] == 1e-3


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A tiny copy of every data set, as it is published."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    digits = rng.integers(256, size=(8, 28, 28), dtype=np.uint8)
    for name in ("MNIST", "FashionMNIST"):
        write_mnist(folder / name / "raw", digits, np.arange(8, dtype=np.uint8) // 2)
    space = FactorSpace(tuple("abcde"), (2,) * 5)  # every image has others to make pairs with
    classes = np.pad(space.factors(range(32)).numpy(), ((0, 0), (1, 0)))
    images = rng.integers(2, size=(32, 64, 64), dtype=np.uint8)
    sprites = {"imgs": images, "latents_classes": classes, "latents_values": classes / 2}
    write_dsprites_npz(folder, sprites)
    six = FactorSpace(tuple("abcdef"), (1, 2, 2, 1, 2, 1))
    labels = six.factors(range(8)).double().numpy()
    scenes = rng.integers(256, size=(8, 64, 64, 3), dtype=np.uint8)
    write_shapes3d(folder, {"images": scenes, "labels": labels})
    names = [f"{n:06d}.jpg" for n in range(1, 9)]
    write_celeba(folder / "celeba", names, ("Young",), np.ones((8, 1), int), [0] * 8)
    write_chairs3d(folder, ("0a", "0b"))
    write_faces3d(folder, torch.randint(256, (2, 2, 2, 1, 64, 64), dtype=torch.uint8))
    write_medmnist(folder, "chestmnist", {"train": 8, "val": 2, "test": 2}, 28, (), 14)
    return folder


@pytest.fixture
def _few_x_rays(monkeypatch: pytest.MonkeyPatch) -> None:
    import medmnist

    few = {"train": 8, "val": 2, "test": 2}
    info = {**medmnist.INFO["chestmnist"], "n_samples": few}
    monkeypatch.setitem(medmnist.INFO, "chestmnist", info)


@pytest.fixture
def _no_weights_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of megabytes, of which nothing here depends on the values."""
    monkeypatch.setattr("disvae.training.run.RunDirectory.write_checkpoint", lambda *_: None)
    monkeypatch.setattr("disvae.training.run.RunDirectory.write_end", lambda *_: None)


@pytest.mark.usefixtures("_few_x_rays", "_no_weights_kept")
@pytest.mark.parametrize("name", recipe_names())
def test_each_starts_on_a_tiny_copy_of_its_data(name, folder, tmp_path) -> None:
    tiny = ["--batch_size", "4", "--steps", "2"]
    tiny += [] if name.startswith("sprites") else ["--data.root", str(folder)]
    if name.startswith(("fashion_mnist", "sprites")):
        tiny += ["--n_images", "8"]
    quiet = ["--progress", "false", "--accelerator", "cpu"]
    run_dir = tmp_path / "run"
    assert main(["train", "--recipe", name, "--run_dir", str(run_dir), *tiny, *quiet]) == 0
    config, recipe = load_run(run_dir).config, load_recipe(name).config
    assert config["steps"] == 2
    if "n_images" in recipe:
        config["data"] = config["data"]["init_args"]["dataset"]
    for part in recipe.keys() & {"model", "loss", "data", "source"}:
        assert config[part]["class_path"] == recipe[part]["class_path"]
        given = recipe[part].get("init_args", {})
        assert given.items() <= _as_given(config[part]["init_args"], given).items()


def _as_given(value, given):
    """What a run says of itself, without the defaults that its recipe leaves out."""
    if isinstance(given, dict) and isinstance(value, dict):
        return {key: _as_given(value[key], given[key]) for key in given}
    return value


def test_best_celeba_has_the_absolute_error_times_three() -> None:
    """Up to a constant: its gradients are those of the original."""
    likelihood, x = Sigmoid(Laplace(scale=1 / 3)), torch.rand(2, 3, 8, 8)
    zeros, logits = torch.zeros_like(x), torch.randn_like(x)
    difference = likelihood.nll(logits, x) - likelihood.nll(zeros, x)
    expected = 3 * ((logits.sigmoid() - x).abs() - (0.5 - x).abs()).flatten(1).sum(1)
    torch.testing.assert_close(difference, expected, rtol=1e-4, atol=1e-3)
    spelled = load_recipe("best_celeba").config["model"]["init_args"]["likelihood"]
    assert spelled["class_path"].endswith("Sigmoid")
    assert spelled["init_args"]["base"]["init_args"] == {"scale": pytest.approx(1 / 3)}


def test_ramps_end_at_the_published_weights() -> None:
    for weight in (ramp(6.4), ramp(25.0, 100_000)):
        schedule = Linear(**weight["init_args"])
        assert at_step(schedule, None) == weight["init_args"]["end"]
        assert at_step(schedule, 0) == 0


def test_pictures_are_cut_as_the_recipes_say(folder) -> None:
    assert CelebA(folder, **load_recipe("VAE_celeba").config["data"]["init_args"])[0][0].shape == (
        3,
        64,
        64,
    )
    chairs = Chairs3D(folder, **load_recipe("VAE_chairs").config["data"]["init_args"])
    assert chairs.image_shape == (1, 64, 64)
    assert chairs.images([0]).max() < 255  # the margin of the crop is gone


def test_each_says_where_it_comes_from_and_what_was_corrected() -> None:
    for name in recipe_names():
        recipe = load_recipe(name)
        assert "https://" in recipe.source
        assert 5 < len(recipe.title) < 46
        remarks = (recipe.title, recipe.source, *recipe.corrected, *recipe.notes)
        assert not any("\n" in remark or "#" in remark for remark in remarks)
    corrected = " ".join(load_recipe("btcvae_celeba").corrected)
    for word in ("stratified", "rise", "1 + gamma", "148×148"):
        assert word in corrected


def test_an_unknown_recipe_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown recipe 'nothing'"):
        load_recipe("nothing")


def test_the_page_has_all_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert set(recipe_names()) <= named
