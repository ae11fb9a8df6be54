"""Parts are disjoint and complete, and held-out combinations are held out."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from disvae.data import (
    FactorDataset,
    FactorPart,
    ImageArray,
    ImageDataset,
    Part,
    Slice,
    Sprites,
    hold_out,
    split,
)
from disvae.spec import build, describe

BASE = Slice(Sprites(), {"shape": 0, "orientation": 0})


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 200), st.lists(st.floats(0.2, 1), min_size=1, max_size=4), st.integers(0, 9))
def test_parts_are_disjoint_and_complete(n, shares, seed) -> None:
    fractions = [share / sum(shares) for share in shares]
    data = ImageArray(torch.zeros(n, 2, 2).byte(), labels=torch.arange(n))
    edges = [round(sum(fractions[:i]) * n) for i in range(len(fractions) + 1)]
    if min(b - a for a, b in itertools.pairwise(edges)) < 1:
        return
    parts = split(data, fractions, seed)
    assert sorted(torch.cat([part.chosen for part in parts]).tolist()) == list(range(n))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - fraction * n) <= 1
        assert int(part.targets(0)) == int(part.chosen[0])


def test_factors_stay_with_their_images() -> None:
    train, test = split(BASE, (0.75, 0.25), seed=1)
    assert isinstance(train, FactorPart)
    indices = BASE.space.indices(test.factors(range(50)))
    assert torch.equal(test.images(range(50)), BASE.images(indices))
    assert torch.equal(build(describe(test), ImageDataset).chosen, test.chosen)
    again, _ = split(BASE, (0.75, 0.25), seed=1)
    assert torch.equal(again.chosen, train.chosen)
    other, _ = split(BASE, (0.75, 0.25), seed=2)
    assert not torch.equal(other.chosen, train.chosen)


def test_images_without_factors_make_parts_without() -> None:
    parts = split(ImageArray(torch.zeros(10, 2, 2).byte()), (0.5, 0.5))
    assert all(type(part) is Part and not isinstance(part, FactorDataset) for part in parts)


@pytest.mark.parametrize("fractions", [(), (0.5, 0.4), (1.5, -0.5), (0.9999999, 1e-7)])
def test_fractions_must_make_parts(fractions) -> None:
    data = ImageArray(torch.zeros(10, 2, 2).byte())
    with pytest.raises(ValueError, match=r"add up to 1|has no image"):
        Part(data, fractions, len(fractions) - 1)
    with pytest.raises(ValueError, match="parts 0 to 1"):
        Part(BASE, (0.5, 0.5), 2)


def test_held_out_combinations_are_never_in_training() -> None:
    values = {"scale": [0, 5], "position_x": range(16, 32)}
    train, test = hold_out(BASE, values)
    assert len(train) + len(test) == len(BASE)
    for data, expected in ((train, False), (test, True)):
        factors = data.factors(range(len(data)))
        has = torch.isin(factors[:, 0], torch.tensor([0, 5])) & (factors[:, 1] >= 16)
        assert (has == expected).all()
    # Each value alone is still seen in training: only the combination is new.
    seen = train.factors(range(len(train)))
    assert len(seen[:, 0].unique()) == 6
    assert len(seen[:, 1].unique()) == 32
    assert torch.equal(build(describe(test), ImageDataset).chosen, test.chosen)
    indices = BASE.space.indices(test.factors([3, 4]))
    assert torch.equal(test.images([3, 4]), BASE.images(indices))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hue": [0]}, "no factor 'hue'"),
        ({"scale": [6]}, "scale has values 0 to 5, got 6"),
        ({"scale": []}, "no value to hold out"),
        ({"scale": range(6)}, "is without the combination"),
    ],
)
def test_hold_out_refuses(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        hold_out(BASE, values)
