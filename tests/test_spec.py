"""Descriptions build the same object again, and nothing else."""

import copy
import inspect
import pickle

import pytest
import torch
from torch import nn

from disvae import VAE, BetaVAEBLoss, BurgessVAE, FactorVAELoss, KimVAE, Loss
from disvae.likelihoods import Gaussian, Likelihood
from disvae.schedules import Linear, Schedule
from disvae.spec import build, describe


def test_description_is_plain_values() -> None:
    assert describe(BetaVAEBLoss(capacity=Linear(0.0, 5.0, steps=10))) == {
        "class_path": "disvae.losses.BetaVAEBLoss",
        "init_args": {
            "gamma": 1000.0,
            "capacity": {
                "class_path": "disvae.schedules.Linear",
                "init_args": {"start": 0.0, "end": 5.0, "steps": 10},
            },
        },
    }


@pytest.mark.parametrize(
    ("obj", "base"),
    [
        (BurgessVAE((1, 32, 32), 4, Gaussian(0.5)), VAE),
        (KimVAE((3, 32, 32), latent_dim=6, hidden_dim=32), VAE),
        (FactorVAELoss(4, gamma=Linear(0.0, 10.0, 5)), Loss),
        (Gaussian(0.1), Likelihood),
        (Linear(0.0, 1.0, 2), Schedule),
    ],
)
def test_round_trip(obj, base) -> None:
    made = build(describe(obj), base)
    assert type(made) is type(obj)
    assert describe(made) == describe(obj)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_keep_their_description(duplicate) -> None:
    model = BurgessVAE((1, 32, 32), latent_dim=3)
    made = duplicate(model)
    assert describe(made) == describe(model)
    for a, b in zip(made.parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_modules_have_no_description() -> None:
    with pytest.raises(ValueError, match="cannot describe a Linear"):
        describe(VAE(nn.Linear(2, 2), nn.Linear(1, 2), latent_dim=1))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"class_path": "os.system", "init_args": {"command": "true"}}, "no class system"),
        ({"class_path": "subprocess.Popen", "init_args": {"args": "true"}}, "not a subclass of"),
        ({"class_path": "disvae.losses.VAELoss"}, "not a subclass of disvae.models.vae.VAE"),
        ({"class_path": "VAE"}, "dotted 'class_path'"),
        ({}, "dotted 'class_path'"),
    ],
)
def test_only_subclasses_are_built(spec, message) -> None:
    with pytest.raises(ValueError, match=message):
        build(spec, VAE)


def test_no_other_class_is_built_inside() -> None:
    inner = {"class_path": "subprocess.Popen", "init_args": {"args": "true"}}
    spec = {
        "class_path": "disvae.BurgessVAE",
        "init_args": {"image_shape": [1, 32, 32], "likelihood": inner},
    }
    with pytest.raises(ValueError, match="cannot be part of a description"):
        build(spec, VAE)


@pytest.mark.parametrize("trust", ["disvae.models.BurgessVAE", "disvae.models", "disvae"])
def test_what_is_trusted_is_built(trust) -> None:
    model = BurgessVAE((1, 32, 32), latent_dim=3)
    trusted = [trust, "disvae.likelihoods.Bernoulli"]
    assert describe(build(describe(model), VAE, trust=trusted)) == describe(model)


@pytest.mark.parametrize("trust", [[], ["disvae.models.Burgess"], ["disvae.models"], ["models"]])
def test_what_is_not_trusted_is_not_built(trust) -> None:
    model = BurgessVAE((1, 32, 32), latent_dim=3)  # has a likelihood, which is named too
    with pytest.raises(ValueError, match=r"it names 'disvae\.\w+\.B\w+', which is none of"):
        build(describe(model), VAE, trust=trust)


def test_wrong_arguments_are_python_s_own_error() -> None:
    with pytest.raises(TypeError, match="latent"):
        FactorVAELoss()


def test_help_shows_the_arguments_of_init() -> None:
    parameters = inspect.signature(FactorVAELoss).parameters
    assert [*parameters] == ["latent_dim", "gamma", "discriminator", "discriminator_lr"]
    assert parameters["gamma"].default == 35.0
