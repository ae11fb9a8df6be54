"""Correlated factors against the joint distribution that they are drawn from."""

import math

import pytest
import torch

from disvae.data import (
    CorrelatedFactors,
    FactorArray,
    ImageDataset,
    Slice,
    Sprites,
    factor_information,
)
from disvae.spec import build, describe

BASE = Slice(Sprites(), {"shape": 0, "orientation": 0})  # scale 6, position_x 32, position_y 32

PAIR = [("scale", "position_x")]


def joint(sigma):
    u = torch.arange(6).double()[:, None] / 5
    v = torch.arange(32).double() / 31
    p = torch.exp(-((u - v) ** 2) / (2 * sigma**2))
    return p / p.sum()


@pytest.mark.parametrize("sigma", [0.1, 0.4, math.inf])
def test_joint_distribution_is_that_of_the_formula(sigma) -> None:
    n = 40_000
    data = CorrelatedFactors(BASE, PAIR, sigma=sigma, n=n)
    factors = data.factors(range(n))
    counts = torch.zeros(6, 32, dtype=torch.float64)
    counts.index_put_(tuple(factors[:, :2].T), torch.ones(n).double(), accumulate=True)
    expected = n * joint(sigma)
    cells = expected > 5
    chi_squared = ((counts - expected) ** 2 / expected)[cells].sum().item()
    freedom = int(cells.sum()) - 1
    assert chi_squared < freedom + 4 * math.sqrt(2 * freedom)
    other = factors[:, 2].bincount(minlength=32).double()
    assert ((other - n / 32) ** 2 / (n / 32)).sum() < 62  # independent and uniform as before


def test_several_pairs_multiply() -> None:
    """With a factor in two pairs: the joint of all three is the product of the bands."""
    n = 200_000
    pairs = [("scale", "position_x"), ("scale", "position_y")]
    factors = CorrelatedFactors(BASE, pairs, sigma=0.4, n=n).factors(range(n))
    band = joint(0.4)
    expected = band[:, :, None] * band[:, None, :]
    means = torch.einsum("abc,b->a", expected, torch.arange(32.0).double()) / expected.sum((1, 2))
    for scale in range(6):
        some = factors[factors[:, 0] == scale].double()
        assert some[:, 1].mean() == pytest.approx(float(means[scale]), abs=0.2)
        assert some[:, 2].mean() == pytest.approx(float(means[scale]), abs=0.2)
    shares = factors[:, 0].bincount().double() / n
    truth = expected.sum((1, 2)) / expected.sum()
    assert torch.allclose(shares, truth, atol=0.005)


def test_factor_information_against_the_formula() -> None:
    grid = factor_information(BASE)
    entropies = torch.tensor([6.0, 32.0, 32.0]).double().log()
    assert torch.allclose(grid, torch.diag(entropies), atol=1e-12)
    n = 400_000
    band = joint(0.2)
    truth = (band * (band / (band.sum(1, keepdim=True) * band.sum(0))).log()).sum()
    found = factor_information(CorrelatedFactors(BASE, PAIR, sigma=0.2, n=n))
    assert found[0, 1] == pytest.approx(float(truth), abs=0.003)
    assert found[0, 1] == found[1, 0]
    assert found[0, 2] == pytest.approx(5 * 31 / (2 * n), abs=0.0002)


def test_images_belong_to_their_factors() -> None:
    data = CorrelatedFactors(BASE, PAIR, n=100)
    indices = BASE.space.indices(data.factors(range(100)))
    assert torch.equal(data.images(range(100)), BASE.images(indices))
    assert len(CorrelatedFactors(BASE, PAIR)) == len(BASE)


def test_seed_and_description() -> None:
    first = CorrelatedFactors(BASE, PAIR, n=50, seed=1)
    assert torch.equal(first.chosen, build(describe(first), ImageDataset).chosen)
    other = CorrelatedFactors(BASE, PAIR, n=50, seed=2)
    assert not torch.equal(first.chosen, other.chosen)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "a pair of factors"),
        (([("scale", "scale")],), "two different factors"),
        ((["scale", "position_x"],), "two different factors"),
        (([("scale", "hue")],), "no factor 'hue'"),
        (([("scale", "position_x")], 0.0), "a positive sigma"),
        (([("scale", "position_x")], 0.2, 0), "n must be at least 1"),
    ],
)
def test_refuses(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        CorrelatedFactors(BASE, *arguments)
    single = FactorArray(torch.zeros(2, 2, 2).byte(), [[0, 0], [0, 1]], ("a", "b"))
    with pytest.raises(ValueError, match="'a' has a single value"):
        CorrelatedFactors(single, [("a", "b")])
