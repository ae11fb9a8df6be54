"""The mutual information gap against scikit-learn's mutual information, and its invariances."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from disvae.metrics import DegenerateCodesWarning, mig
from disvae.metrics.information import discretize, mutual_information


def test_codes_of_known_quality(codes, factors, standard) -> None:
    assert mig(standard, factors) == 1.0
    assert mig(factors, factors) == 1.0
    assert mig(codes["random"], factors) < 0.02
    # Turned by 45 degrees, two dimensions share what they know: no gap. By 20, one leads.
    assert mig(codes["rotated"], factors) < 0.02
    c, s = np.cos(np.pi / 9), np.sin(np.pi / 9)
    turned = standard[:, 2:] @ np.array([[c, -s], [s, c]]) + 0.3 * codes["random"][:, :2]
    assert 0.1 < mig(turned, factors[:, 2:]) < 0.6


def test_twenty_bins_cannot_tell_forty_values_apart(standard, factors) -> None:
    # 40 equidistant values fall into 20 bins in pairs: I = ln 20 of H = ln 40.
    score = mig(standard, factors, bins=20)
    assert score.per_factor["factor 3"] == pytest.approx(np.log(20) / np.log(40), abs=1e-9)
    assert mig(standard, factors).details["bins"] == 40


def test_by_hand(codes, factors) -> None:
    z = codes["rotated"]
    score = mig(z, factors, bins=7, names=list("abcd"))
    edges = [np.linspace(column.min(), column.max(), 8)[1:-1] for column in z.T]
    cells = [np.digitize(column, e) for column, e in zip(z.T, edges, strict=True)]
    table = [[mutual_info_score(v, c) for c in cells] for v in factors.T]
    np.testing.assert_allclose(score.details["mutual_information"], table, atol=1e-12)
    gaps = []
    for v, row in zip(factors.T, table, strict=True):
        first, second = sorted(row, reverse=True)[:2]
        gaps.append((first - second) / np.log(v.max() + 1))
    np.testing.assert_allclose(list(score.per_factor.values()), gaps, atol=1e-12)
    assert score == pytest.approx(np.mean(gaps))
    assert score.details["best_dimension"] == np.argmax(table, axis=1).tolist()


@given(st.integers(0, 10**6), st.integers(1, 200), st.integers(1, 9), st.integers(1, 9))
def test_mutual_information_is_scikit_learn_s(seed: int, n: int, a: int, b: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, a, n), rng.integers(0, b, n)
    assert mutual_information(x, y) == pytest.approx(mutual_info_score(x, y), abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), name=st.sampled_from(["perfect", "rotated", "random"]))
def test_units_signs_and_order_of_dimensions_change_nothing(codes, factors, seed, name) -> None:
    rng = np.random.default_rng(seed)
    z = codes[name]
    unit = np.exp(rng.uniform(-7, 7, z.shape[1])) * rng.choice([-1, 1], z.shape[1])
    changed = (z * unit)[:, rng.permutation(z.shape[1])]
    assert mig(changed, factors) == mig(z, factors)
    assert mig(changed, factors).per_factor == mig(z, factors).per_factor


@given(n=st.integers(2, 60), bins=st.integers(2, 60), scale=st.floats(1e-3, 1e3))
def test_bins_are_mirrored(n: int, bins: int, scale: float) -> None:
    # Equidistant values lie on the edges of bins as often as anything does.
    z = np.arange(n) / (n - 1)
    left, right = discretize(scale * z, bins), discretize(-scale * z, bins)
    assert (left + right == left[0] + left[-1]).all()
    assert (left == discretize(z, bins)).all()
    if n <= bins:
        assert len(np.unique(left)) == n


def test_bins_have_equal_widths() -> None:
    z = np.linspace(-3, 5, 100_001)
    for bins in (4, 5):
        counts = np.bincount(discretize(z, bins))
        counts = np.delete(counts, 2) if bins == 4 else counts  # the exact middle
        assert (np.abs(counts - 100_000 / bins) <= 1).all()


def test_one_dimension_has_no_rival(factors) -> None:
    score = mig(factors[:, :1], factors)
    assert score.per_factor["factor 0"] == pytest.approx(1.0)
    assert score.per_factor["factor 1"] == pytest.approx(0.0, abs=1e-12)


def test_a_dimension_twice_leaves_no_gap(factors) -> None:
    assert mig(np.repeat(factors, 2, axis=1), factors) == pytest.approx(0.0, abs=1e-12)


def test_constant_dimensions(factors, standard) -> None:
    constant = np.full((len(factors), 2), 0.1, np.float32)
    score = mig(np.concatenate([constant, standard], axis=1), factors)
    assert score == 1.0
    assert score.details["dead_dimensions"] == [0, 1]
    with pytest.warns(DegenerateCodesWarning, match="MIG is 0"):
        assert mig(constant, factors) == 0.0


def test_independent_columns_share_exactly_nothing(factors) -> None:
    assert mutual_information(factors[:, 1], factors[:, 3]) == 0.0


def test_a_perfect_code_scores_one_whatever_the_sizes() -> None:
    for sizes in ((2, 3), (7, 9), (2, 5, 11), (3, 41)):
        grid = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), -1)
        grid = grid.reshape(-1, len(sizes))
        assert mig(0.1 * grid - 3, grid) == 1.0


def test_a_factor_of_thousands_of_values_fits_into_memory() -> None:
    # A dense table of 20,000 bins by 20,000 values would be 3 GB.
    factors = np.arange(20_000).repeat(2)[:, None]
    assert mig(factors, factors) == 1.0


def test_values_need_not_be_numbered_from_0(factors, standard) -> None:
    assert mig(standard, 7 * factors - 5) == mig(standard, factors)


def test_tensors_and_arrays_are_alike(codes, factors) -> None:
    z = torch.tensor(codes["rotated"], requires_grad=True)
    assert mig(z, torch.from_numpy(factors)) == mig(codes["rotated"], factors)


def test_needs_two_bins(factors) -> None:
    with pytest.raises(ValueError, match="at least 2 bins, got 1"):
        mig(factors, factors, bins=1)
