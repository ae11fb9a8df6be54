import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disvae.data import FactorSpace

SPACE = FactorSpace(("a", "b", "c"), (2, 3, 4))


def test_order_is_row_major() -> None:
    expected = [[a, b, c] for a in range(2) for b in range(3) for c in range(4)]
    assert len(SPACE) == 24
    assert SPACE.factors(range(24)).tolist() == expected
    assert SPACE.indices(expected).tolist() == list(range(24))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(0, 10**6))
def test_factors_and_indices_are_inverse(sizes: list[int], number: int) -> None:
    space = FactorSpace(tuple(f"f{k}" for k in range(len(sizes))), tuple(sizes))
    index = torch.tensor([number % len(space)])
    assert torch.equal(space.indices(space.factors(index)), index)


def test_sampling() -> None:
    generator = torch.Generator().manual_seed(0)
    sample = SPACE.sample(6000, generator, fixed={"b": 2})
    assert (sample[:, 1] == 2).all()
    counts = torch.bincount(sample[:, 2], minlength=4)
    assert ((counts - 1500).abs() < 150).all()
    again = SPACE.sample(6000, torch.Generator().manual_seed(0), fixed={"b": 2})
    assert torch.equal(sample, again)


@pytest.mark.parametrize("indices", [[24], [-1], [0.0], [[0]], [True]])
def test_bad_indices(indices) -> None:
    with pytest.raises(ValueError, match="indices"):
        SPACE.factors(indices)


@pytest.mark.parametrize("factors", [[[0, 3, 0]], [[-1, 0, 0]], [[0, 0]], [[0.0, 0.0, 0.0]], [0]])
def test_bad_factors(factors) -> None:
    with pytest.raises(ValueError, match="factor"):
        SPACE.indices(factors)


@pytest.mark.parametrize(
    ("names", "sizes"), [((), ()), (("a",), (1, 2)), (("a", "a"), (1, 2)), (("a",), (0,))]
)
def test_bad_spaces(names, sizes) -> None:
    with pytest.raises(ValueError, match=r"factor|size"):
        FactorSpace(names, sizes)


@pytest.mark.parametrize("fixed", [{"d": 0}, {"a": 2}, {"a": -1}])
def test_bad_fixed_values(fixed) -> None:
    with pytest.raises(ValueError, match=r"no factor 'd'|a has values 0 to 1"):
        SPACE.sample(3, fixed=fixed)


def test_no_indices_are_no_factors() -> None:
    assert SPACE.factors([]).shape == (0, 3)


@pytest.mark.untyped
def test_fixed_values_are_integers() -> None:
    space = FactorSpace(("a", "b"), (3, 4))
    assert space.n_factors == 2
    with pytest.raises(TypeError, match="integer"):
        space.sample(2, fixed={"a": 1.5})
