"""Groups against enumeration: who is in them, and how often each member is drawn."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disvae.data import (
    FactorArray,
    FactorSpace,
    Groups,
    ImageArray,
    Slice,
    Sprites,
    groups_by_factors,
    groups_by_label,
)
from disvae.data.groups import GridGroups

KEYS = torch.tensor([7, 3, 7, 7, 3, -1])


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40))
def test_members_are_those_of_the_same_key(keys) -> None:
    groups = Groups(torch.tensor(keys))
    assert groups.n_groups == len(set(keys))
    for image, key in enumerate(keys):
        expected = [other for other, theirs in enumerate(keys) if theirs == key]
        assert groups.members(image).tolist() == expected


def frequencies(draw, image, n=12_000):
    drawn = draw(torch.full((n,), image))
    return {int(k): int(c) / n for k, c in zip(*drawn.unique(return_counts=True), strict=True)}


def test_draws_are_uniform_over_what_they_say() -> None:
    groups, generator = Groups(KEYS), torch.Generator().manual_seed(0)

    def with_itself(images):
        return groups.draw(images, 1, generator)[:, 0]

    assert frequencies(with_itself, 2) == pytest.approx({0: 1 / 3, 2: 1 / 3, 3: 1 / 3}, abs=0.02)
    others = frequencies(lambda i: groups.draw_other(i, generator), 2)
    assert others == pytest.approx({0: 0.5, 3: 0.5}, abs=0.02)
    outside = frequencies(lambda i: groups.draw_outside(i, generator), 2)
    assert outside == pytest.approx({1: 1 / 3, 4: 1 / 3, 5: 1 / 3}, abs=0.02)
    assert groups.draw(torch.tensor([5, 1]), 4, generator).shape == (2, 4)


def test_alone_or_all_alike_is_said() -> None:
    with pytest.raises(ValueError, match="image 5 shares what is asked for with no other"):
        Groups(KEYS).draw_other(torch.tensor([0, 5]))
    with pytest.raises(ValueError, match="there is none that does not"):
        Groups(torch.zeros(4).long()).draw_outside(torch.tensor([0]))


def test_factors_of_a_grid_and_of_any_table() -> None:
    sprites = Slice(Sprites(), {"shape": 1, "scale": 2})
    groups = groups_by_factors(sprites, ["orientation", "position_y"])
    assert groups.n_groups == 40 * 32
    factors = sprites.factors(groups.members(777))
    assert len(factors) == 32
    assert (factors[:, [0, 2]] == sprites.factors([777])[:, [0, 2]]).all()
    assert groups_by_factors(sprites, []).n_groups == 1
    with pytest.raises(ValueError, match="no factor 'colour'"):
        groups_by_factors(sprites, ["colour"])

    table = torch.tensor([[0, 1], [0, 0], [2, 1], [0, 1]])
    data = FactorArray(torch.zeros(4, 2, 2).byte(), table, ("a", "b"))
    assert groups_by_factors(data, ["a", "b"]).members(0).tolist() == [0, 3]


def test_labels() -> None:
    images = torch.zeros(4, 2, 2).byte()
    data = ImageArray(images, labels=torch.tensor([2, 0, 2, 0]))
    assert groups_by_label(data).members(1).tolist() == [1, 3]
    for labels in (None, torch.zeros(4, 14).long(), torch.zeros(4)):
        with pytest.raises(ValueError, match=r"one integer label|has no labels"):
            groups_by_label(ImageArray(images, labels=labels))


SPACE = FactorSpace(("a", "b", "c"), (3, 4, 2))


@pytest.mark.parametrize("names", [(), ("a",), ("c", "a"), ("b",), ("a", "b", "c")])
def test_complete_grid_needs_no_table(names) -> None:
    """A grid's groups, by arithmetic, are those that a table of keys gives; draws included."""
    factors = SPACE.factors(range(24))
    key = torch.zeros(24).long()
    for name in names:
        key = key * 4 + factors[:, SPACE.names.index(name)]
    table, grid = Groups(key), GridGroups(SPACE, names)
    assert (grid.n_groups, grid.n_images) == (table.n_groups, table.n_images)
    assert torch.equal(grid.alone(), table.alone())
    assert all(torch.equal(grid.members(i), table.members(i)) for i in range(24))
    images = torch.randint(24, (500,), generator=torch.Generator().manual_seed(0))
    draws = {"draw": (images, 3), "draw_other": (images,), "draw_outside": (images,)}
    if len(names) == 3:
        del draws["draw_other"]
    if not names:
        del draws["draw_outside"]
    for name, arguments in draws.items():
        a, b = (
            getattr(groups, name)(*arguments, torch.Generator().manual_seed(1))
            for groups in (grid, table)
        )
        assert torch.equal(a, b)


def test_grid_is_recognised_and_anything_else_is_not() -> None:
    assert isinstance(groups_by_factors(Sprites(), ["scale"]), GridGroups)
    table = SPACE.factors(range(24))
    images = torch.zeros(24, 2, 2).byte()
    for other in (table.flip(0), table[:23]):
        data = FactorArray(images[: len(other)], other, SPACE.names)
        assert not isinstance(groups_by_factors(data, ["a"]), GridGroups)
