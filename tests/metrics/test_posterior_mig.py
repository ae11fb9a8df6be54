"""Information of posteriors against brute force, a closed form, and Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from disvae.metrics import CannotComputeError, mig, posterior_aam, posterior_mig
from disvae.metrics.mixtures import Mixture
from disvae.metrics.posterior_information import check_posterior, posterior_information


def entropy_by_quadrature(mean, std):
    """The density of every component at every point, without any trick."""
    z = np.linspace((mean - 9 * std).min(), (mean + 9 * std).max(), 20_001)
    density = np.zeros_like(z)
    for m, s in zip(mean, std, strict=True):
        density += np.exp(-0.5 * ((z - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
    density /= len(mean)
    return -np.sum(density * np.log(np.maximum(density, 1e-300))) * (z[1] - z[0])


@pytest.fixture(scope="module")
def posterior():
    """2,000 posteriors of 6 dimensions: clear, overlapping, collapsed, of one width and of many."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [3, 6, 40], size=(2000, 3))
    standard = (factors - factors.mean(0)) / factors.std(0)
    wide = np.exp(rng.uniform(-4, 0.3, size=2000))
    mean = np.stack(
        [
            *standard.T,
            standard[:, 0] + standard[:, 1],
            0.01 * rng.normal(size=2000),
            5 * standard[:, 2],
        ],
        1,
    )
    std = np.stack([np.full(2000, 0.2), wide, wide, wide, np.ones(2000), np.full(2000, 0.02)], 1)
    return mean, std, factors


def test_entropies_are_those_of_quadrature(posterior) -> None:
    mean, std, factors = posterior
    for j in range(6):
        for k, size in ((0, 3), (2, 40)):
            whole, within = Mixture(mean[:, j], std[:, j]).entropies(factors[:, k], size)
            assert whole == pytest.approx(entropy_by_quadrature(mean[:, j], std[:, j]), abs=5e-4)
            for value in (0, size - 1):
                rows = factors[:, k] == value
                truth = entropy_by_quadrature(mean[rows, j], std[rows, j])
                assert within[value] == pytest.approx(truth, abs=5e-4)


def test_mig_within_0_005_of_brute_force(posterior) -> None:
    mean, std, factors = posterior
    score = posterior_mig((mean, std), factors)
    gaps = []
    for v in factors.T:
        information = []
        for m, s in zip(mean.T, std.T, strict=True):
            within = [
                (v == value).mean() * entropy_by_quadrature(m[v == value], s[v == value])
                for value in np.unique(v)
            ]
            information.append(entropy_by_quadrature(m, s) - sum(within))
        shares = np.bincount(v) / len(v)
        best, second = sorted(information, reverse=True)[:2]
        gaps.append((best - second) / -(shares * np.log(shares)).sum())
    assert score == pytest.approx(np.mean(gaps), abs=0.005)
    assert list(score.per_factor.values()) == pytest.approx(gaps, abs=0.005)


def test_monte_carlo_agrees(posterior) -> None:
    """The paper's estimator: draws of one dimension, their density under all posteriors."""
    mean, std, factors = posterior
    rng, j, v = np.random.default_rng(1), 1, factors[:, 1]

    def entropy(rows, n=4000):
        chosen = rng.choice(rows, n)
        z = mean[chosen, j] + std[chosen, j] * rng.normal(size=n)
        log_density = -0.5 * ((z[:, None] - mean[rows, j]) / std[rows, j]) ** 2
        density = (np.exp(log_density) / std[rows, j]).mean(1) / math.sqrt(2 * math.pi)
        return -np.log(density).mean()

    everything = np.arange(2000)
    within = sum(np.mean(v == x) * entropy(np.flatnonzero(v == x)) for x in range(6))
    arrays, scale = check_posterior((mean, std), factors, None)
    found = posterior_information(arrays, scale).table[1, j]
    assert found == pytest.approx(entropy(everything) - within, abs=0.05)


def test_one_gaussian_has_a_closed_form() -> None:
    mixture = Mixture(np.zeros(50), np.full(50, 0.3))
    whole, _ = mixture.entropies(np.zeros(50, dtype=int), 1)
    assert whole == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 0.09), abs=1e-6)


def test_groups_in_parts_are_the_same(posterior, monkeypatch) -> None:
    mean, std, factors = posterior
    expected = Mixture(mean[:, 1], std[:, 1]).entropies(factors[:, 2], 40)
    monkeypatch.setattr("disvae.metrics.mixtures.CELLS", 1)
    whole, within = Mixture(mean[:, 1], std[:, 1]).entropies(factors[:, 2], 40)
    assert whole == pytest.approx(expected[0], abs=1e-12)
    np.testing.assert_allclose(within, expected[1], atol=1e-12)


def test_noise_takes_information_away(posterior) -> None:
    mean, _, factors = posterior
    scores = [posterior_mig((mean[:, :3], np.full((2000, 3), s)), factors) for s in (0.05, 0.5, 2)]
    assert scores[0] > scores[1] > scores[2] > 0
    clear = posterior_mig((mean[:, :2], np.full((2000, 2), 0.02)), factors[:, :2])
    assert clear == pytest.approx(float(mig(mean[:, :2], factors[:, :2])), abs=0.01)


def test_collapsed_posteriors_know_nothing() -> None:
    factors = np.arange(60)[:, None] % 3
    score = posterior_mig((np.zeros((60, 2)), np.ones((60, 2))), factors)
    assert score == pytest.approx(0.0, abs=1e-9)
    assert score.details["dead_dimensions"] == [0, 1]


def test_a_normal_and_its_alignment(posterior) -> None:
    mean, std, factors = (torch.tensor(x) for x in posterior)
    score = posterior_mig(Normal(mean, std), factors, names=["a", "b", "c"])
    assert score == posterior_mig((mean.numpy(), std.numpy()), factors)
    aligned = posterior_aam(Normal(mean, std), factors, names=["a", "b", "c"])
    table = np.array(score.details["mutual_information"])
    best = table.max(1)
    expected = np.maximum(0, 2 * best - table.sum(1)) / best
    assert list(aligned.per_factor.values()) == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("std", "message"),
    [
        (np.ones((4, 1)), "means of shape"),
        (np.zeros((4, 2)), "positive and finite"),
        (np.full((4, 2), np.nan), "positive and finite"),
    ],
)
def test_bad_deviations(std, message) -> None:
    with pytest.raises(ValueError, match=message):
        posterior_mig((np.eye(4)[:, :2], std), np.arange(4)[:, None] % 2)


def test_codes_without_noise_are_refused() -> None:
    with pytest.raises(CannotComputeError, match="a code without noise"):
        posterior_mig((np.arange(4.0)[:, None], np.full((4, 1), 1e-9)), np.arange(4)[:, None] % 2)
