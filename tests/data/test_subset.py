import pytest
import torch

from disvae.data import FactorArray, FactorDataset, ImageArray, Slice, Sprites, random_subset


def test_random_subset_keeps_images_and_factors() -> None:
    data = Sprites()
    subset = random_subset(data, 300, seed=1)
    assert isinstance(subset, FactorDataset)
    assert len(subset) == len(subset.chosen.unique()) == 300
    assert torch.equal(subset.images(range(300)), data.images(subset.chosen))
    assert torch.equal(subset.factors([7, 2]), data.factors(subset.chosen[[7, 2]]))
    assert torch.equal(subset[5][0], data[int(subset.chosen[5])][0])
    assert torch.equal(subset[5][1], data[int(subset.chosen[5])][1])


def test_random_subset_is_its_seed_s() -> None:
    a, b, c = (random_subset(Sprites(), 50, seed=seed).chosen for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_random_subset_of_labelled_images() -> None:
    images = torch.arange(40, dtype=torch.uint8).reshape(10, 2, 2)
    subset = random_subset(ImageArray(images, labels=list(range(10))), 4)
    assert not isinstance(subset, FactorDataset)
    image, label = subset[3]
    assert (255 * image).round().int().flatten().tolist() == (images[label].flatten().tolist())


@pytest.mark.parametrize("n", [0, 11])
def test_random_subset_needs_images(n: int) -> None:
    with pytest.raises(ValueError, match="1 to 10 images"):
        random_subset(ImageArray(torch.zeros(10, 2, 2, dtype=torch.uint8)), n)


def test_slice_is_the_images_with_those_factors() -> None:
    data = Sprites()
    part = Slice(data, {"shape": 2, "position_x": 7})
    assert part.space.names == ("scale", "orientation", "position_y")
    assert len(part) == 6 * 40 * 32
    factors = data.factors(range(0, len(data), 997))
    full = factors[(factors[:, 0] == 2) & (factors[:, 3] == 7)]
    assert len(full) > 3
    indices = part.space.indices(full[:, [1, 2, 4]])
    assert torch.equal(part.images(indices), data.images(data.space.indices(full)))
    assert part[int(indices[0])][1].tolist() == full[0, [1, 2, 4]].tolist()


@pytest.mark.parametrize(
    ("fixed", "message"),
    [({"colour": 0}, "no factor 'colour'"), ({"shape": 3}, "shape has values 0 to 2")],
)
def test_slice_of_unknown_factors(fixed, message) -> None:
    with pytest.raises(ValueError, match=message):
        Slice(Sprites(), fixed)


def test_slice_with_nothing_left() -> None:
    fixed = dict.fromkeys(Sprites.space.names, 0)
    with pytest.raises(ValueError, match="none to vary"):
        Slice(Sprites(), fixed)


def test_slice_does_not_trust_the_order() -> None:
    # All combinations are there, but shuffled: the images must still be those of their factors.
    data = Sprites()
    grid = Slice(data, {"shape": 1, "scale": 3, "orientation": 7})
    part = Slice(random_subset(grid, len(grid)), {"position_x": 3})
    lines = part.factors(range(32))[:, 0].tolist()
    assert sorted(lines) == list(range(32))
    assert lines != sorted(lines)
    full = [[1, 3, 7, 3, line] for line in lines]
    assert torch.equal(part.images(range(32)), data.images(data.space.indices(full)))


def test_slice_of_an_incomplete_grid() -> None:
    images = torch.arange(4, dtype=torch.uint8)[:, None, None]
    factors = [[0, 2, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]]
    data = FactorArray(images, factors, ("a", "b", "c"))
    part = Slice(data, {"a": 0})
    assert part.factors(range(2)).tolist() == [[2, 0], [0, 1]]
    assert part.images(range(2)).flatten().tolist() == [0, 3]
    with pytest.raises(ValueError, match="no image of the data set has the factors"):
        Slice(data, {"a": 1, "b": 2})
