import datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from disvae.data import (
    ChangedFactorPairs,
    CorrelatedFactors,
    FactorArray,
    FactorPairs,
    FactorSpace,
    FewLabels,
    Slice,
    factor_information,
)
from disvae.data.factor_table import factor_table
from disvae.metrics import mig


def sprites(factors) -> FactorArray:
    return FactorArray(np.zeros((len(factors), 4, 4), np.uint8), factors, ("shape", "scale"))


@pytest.mark.parametrize("offset", [0, 1, 100, -7, 10**9])
def test_what_values_are_called_makes_no_difference(offset: int) -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 3, 600), rng.integers(0, 6, 600)], 1)
    data = sprites(factors + offset)
    correlated = CorrelatedFactors(data, [("shape", "scale")], sigma=0.1, n=20_000, seed=0)
    assert factor_information(correlated)[0, 1] == pytest.approx(1.075, abs=5e-4)
    targets = FewLabels(data, batch_size=8, n_labels=600).targets(torch.arange(600))
    assert targets.amin(0).tolist() == [0, 0]
    assert targets.amax(0).tolist() == [1, 1]
    assert data.space.values == (
        tuple(range(offset, offset + 3)),
        tuple(range(offset, offset + 6)),
    )


INCREASING = st.lists(st.integers(-(10**9), 10**9), min_size=4, max_size=4, unique=True).map(sorted)


GRID = np.stack(np.divmod(np.arange(16), 4), 1)  # so that every image has others like it


@given(arrays(np.int64, (8, 2), elements=st.integers(0, 3)), INCREASING, INCREASING)
def test_relabelling_changes_nothing(table, first, second) -> None:
    table = np.concatenate([GRID, GRID, table])
    renamed = np.stack([np.array(first)[table[:, 0]], np.array(second)[table[:, 1]]], 1)
    one, other = sprites(table), sprites(renamed)
    assert torch.equal(one.factors(range(40)), other.factors(range(40)))
    assert other.space.values == (tuple(first), tuple(second))
    torch.testing.assert_close(factor_information(one), factor_information(other))
    for source in (partial(FactorPairs, shared=["shape"]), ChangedFactorPairs):
        a, b = source(one, batch_size=8), source(other, batch_size=8)
        for i, j in zip(a.indices(3), b.indices(3), strict=True):
            assert torch.equal(i, j)
    codes = table + 0.01 * np.random.default_rng(0).normal(size=table.shape)
    assert float(mig(codes, table)) == pytest.approx(float(mig(codes, renamed)))


def test_words_dates_truths_and_numbers() -> None:
    days = [datetime.date(2026, 1, d) for d in (3, 1, 3)]
    table = pd.DataFrame({"animal": ["cat", "dog", "cat"], "size": [0.5, 2.0, 2.0]})
    table["day"], table["old"], table["time"] = days, [True, False, True], pd.to_datetime(days)
    indices, space = factor_table(table)
    assert indices.tolist() == [[0, 0, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 1]]
    assert space.names == ("animal", "size", "day", "old", "time")
    assert space.values[:2] == (("cat", "dog"), (0.5, 2.0))
    assert space.values[2:4] == ((datetime.date(2026, 1, 1), days[0]), (False, True))
    assert space.value("time", 1) == datetime.datetime(2026, 1, 3)
    assert factor_table(torch.tensor([[5], [3]]), ("x",))[1].values == ((3, 5),)
    data = sprites([["cat", 3], ["dog", 3], ["dog", 4]])
    assert Slice(data, {"shape": 1}).space == FactorSpace(("scale",), (2,), ((3, 4),))


@pytest.mark.parametrize(
    ("factors", "names", "message"),
    [
        (pd.DataFrame({"": range(3), "x": [1, 2, 1]}), None, "column 0 of the factors has no name"),
        (pd.DataFrame({"Unnamed: 0": range(3)}), None, "looks like the numbers of the rows"),
        (pd.DataFrame({"x": [1.0, None, 2.0]}), None, "'x' has values that are missing"),
        ([["a"], [None]], ("x",), "'x' has values that are missing"),
        (np.array([[1.0], [np.nan]]), ("x",), "'x' has values that are missing"),
        ([["a"], [{}]], ("x",), "have no order"),
        ([[1, 2]], ("x",), "one name for each of the 2 columns"),
        ([[1, 2]], None, "one name for each of the 2 columns"),
        ([1, 2, 3], ("x",), "a row per image and a column per factor"),
    ],
)
def test_no_table_of_factors(factors, names, message) -> None:
    with pytest.raises(ValueError, match=message):
        factor_table(factors, names)


def test_values_are_one_for_each_index() -> None:
    with pytest.raises(ValueError, match=r"sizes \(2,\), but \(1,\) values"):
        FactorSpace(("x",), (2,), (("a",),))
    assert FactorSpace(("x",), (2,)).value("x", 1) == 1
    many = FactorSpace(tuple("abcdefghijk"), (1000,) * 11)
    with pytest.raises(ValueError, match="too many combinations to number"):
        many.indices(torch.zeros(1, 11, dtype=torch.int64))
