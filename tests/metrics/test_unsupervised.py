"""Numbers without labels against closed forms, and rankings of models."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from disvae import BurgessVAE
from disvae.metrics import (
    gaussian_total_correlation,
    model_centrality,
    mutual_information_score,
    udr,
    wasserstein_correlation,
)


def gaussian(correlation, n=200_000):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 2))
    z[:, 1] = correlation * z[:, 0] + math.sqrt(1 - correlation**2) * z[:, 1]
    return z * [1.0, 3.0]


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_total_correlation_of_a_gaussian(correlation) -> None:
    expected = -0.5 * math.log(1 - correlation**2)
    assert gaussian_total_correlation(gaussian(correlation)) == pytest.approx(expected, abs=0.01)
    information = mutual_information_score(gaussian(correlation), bins=60)
    assert information == pytest.approx(expected, abs=0.07)


def test_wasserstein_correlation_is_the_distance() -> None:
    """W² of two centred Gaussians: tr A + tr B - 2 tr (A^½ B A^½)^½."""
    z = gaussian(0.6) @ np.array([[1.0, 0.3], [0.0, 1.0]])
    covariance = np.cov(z.T)
    diagonal = np.diag(np.diag(covariance))
    root = sqrtm(covariance)
    distance = np.trace(covariance + diagonal - 2 * np.real(sqrtm(root @ diagonal @ root)))
    assert wasserstein_correlation(z, normalize=False) == pytest.approx(distance)
    assert wasserstein_correlation(z) == pytest.approx(distance / np.trace(covariance))


@pytest.mark.parametrize(
    "metric", [gaussian_total_correlation, wasserstein_correlation, mutual_information_score]
)
def test_dead_dimensions_are_left_out(metric) -> None:
    z = gaussian(0.6, 2000)
    more = metric(np.insert(z, 1, 0.3, axis=1))
    assert more == pytest.approx(float(metric(z)))
    assert more.details["dead_dimensions"] == [1]
    assert metric(np.ones((5, 2))) == 0
    assert metric(z, np.zeros((2000, 1))) == metric(torch.from_numpy(z))
    with pytest.raises(ValueError, match="NaN or infinite"):
        metric(np.full((4, 2), np.nan))


def test_a_copy_has_infinite_total_correlation() -> None:
    z = gaussian(0.0, 100)[:, [0, 0]]
    score = gaussian_total_correlation(z)
    assert score > 15
    score.to_json()


def pool():
    """Three models with the same codes but for order and sign, and two turned ones."""
    rng = np.random.default_rng(0)
    factors = rng.uniform(-1, 1, size=(1000, 4))
    noise = 0.05 * rng.normal(size=(5, 1000, 4))
    models = [factors[:, rng.permutation(4)] * rng.choice([-2, 1], 4) + noise[i] for i in range(3)]
    for i in range(2):
        models.append(factors @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + noise[3 + i])
    return models


@pytest.mark.parametrize("method", ["lasso", "spearman"])
def test_udr_ranks_models_that_agree_first(method) -> None:
    scores = udr(pool(), method=method)
    assert min(scores[:3]) > max(scores[3:]) + 0.1
    assert scores[0].details["pairs"][0] is None
    assert len(scores[0].details["pairs"]) == 5


def test_udr_of_two_models_by_its_definition() -> None:
    a, b = pool()[0], pool()[3]
    from scipy.stats import spearmanr

    table = np.abs([[spearmanr(x, y).statistic for y in b.T] for x in a.T])
    rows = (table.max(1) ** 2 / table.sum(1)).mean()
    columns = (table.max(0) ** 2 / table.sum(0)).mean()
    first, second = udr([a, b], method="spearman")
    assert first == second == pytest.approx((rows + columns) / 2)


def test_udr_leaves_out_dimensions_without_kl() -> None:
    models = pool()[:2]
    noisy = [
        np.concatenate([z, np.random.default_rng(i).normal(size=(1000, 2))], 1)
        for i, z in enumerate(models)
    ]
    kl = [[1, 1, 1, 1, 0, 0.001]] * 2
    assert udr(noisy, kl) == pytest.approx([float(s) for s in udr(models)])
    assert udr(noisy, kl)[0].details["informative"] == [0, 1, 2, 3]
    assert udr(noisy, [[0] * 6] * 2) == [0, 0]


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("codes", "settings", "message"),
    [
        ([np.eye(3)], {}, "2 at least, got 1"),
        ([np.eye(3), np.eye(4)], {}, "codes of the same samples"),
        ([np.eye(3), np.eye(3)], {"method": "pearson"}, "method must be"),
        ([np.eye(3), np.eye(3)], {"kl": [[1, 1], [1, 1]]}, "the KL of 3 dimensions"),
    ],
)
def test_udr_refuses(codes, settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        udr(codes, **settings)


class Linear(BurgessVAE):
    """A code of four numbers, drawn as four pixels, in an order of its own or mixed."""

    def __init__(self, matrix) -> None:
        super().__init__((1, 32, 32), latent_dim=4)
        self.matrix = torch.as_tensor(matrix, dtype=torch.float32)
        self.decoder = torch.nn.Identity()

    def encode(self, x):
        z = torch.logit(x.flatten(1)[:, :4].clamp(1e-6, 1 - 1e-6)) @ self.matrix
        return torch.distributions.Normal(z, torch.full_like(z, 0.1))

    def decode(self, z):
        pixels = z @ torch.linalg.inv(self.matrix)
        return torch.nn.functional.pad(pixels, (0, 1020)).view(-1, 1, 32, 32)


def test_central_models_are_those_that_agree() -> None:
    rng = np.random.default_rng(0)
    models = [Linear(np.eye(4)[rng.permutation(4)]) for _ in range(3)]
    models.append(Linear(np.linalg.qr(rng.normal(size=(4, 4)))[0]))
    images = torch.rand(64, 1, 32, 32)
    scores = model_centrality(models, images, groups=5, votes=200, progress=False)
    assert min(scores[:3]) > scores[3] + 0.05
    assert scores[0].details["dimensions"] == [0, 1, 2, 3]
    assert scores[0].details["scores"][1] == 1.0
    again = model_centrality(models, images, groups=5, votes=200, progress=False)
    assert scores == again


def test_a_collapsed_model_is_not_central() -> None:
    models = [Linear(np.eye(4)), Linear(np.eye(4))]
    models[1].encode = lambda x: torch.distributions.Normal(
        torch.zeros(len(x), 4), torch.ones(len(x), 4)
    )
    scores = model_centrality(models, torch.rand(8, 1, 32, 32), groups=2, votes=50, progress=False)
    assert scores[1].details["dimensions"] == []
    assert scores[1] < 0.2
    with pytest.raises(ValueError, match="expected 2 models"):
        model_centrality(models[:1], torch.rand(8, 1, 32, 32))
