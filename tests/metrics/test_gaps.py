"""The metrics that are made of a table of information, each by its formula in plain loops."""

import numpy as np
import pytest

from disvae.data import CorrelatedFactors, Slice, Sprites
from disvae.metrics import (
    CannotComputeError,
    aam,
    dcimig,
    dmig,
    jemmig,
    mig,
    mig_sup,
    minimality,
    modularity,
    sufficiency,
    xmig,
)
from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information

BINS = 12


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    v = rng.integers(0, [3, 4, 5], size=(3000, 3))
    z = np.stack([v[:, 0] + 0.2 * v[:, 1], v[:, 1], v[:, 2] + v[:, 1], np.full(3000, 2.0)], 1)
    z[:, :3] += 0.4 * rng.normal(size=(3000, 3))
    return z, v


@pytest.fixture(scope="module")
def known(arrays):
    """I, H(v) and H(z), of live dimensions too."""
    information = histogram_information(check_arrays(*arrays), BINS)
    return information.table, information.factor_entropy, information.code_entropy


def test_aam(arrays, known) -> None:
    expected = [max(0.0, row.max() - (row.sum() - row.max())) / row.max() for row in known[0]]
    score = aam(*arrays, bins=BINS)
    assert list(score.per_factor.values()) == pytest.approx(expected)
    assert score == pytest.approx(np.mean(expected))


def test_mig_sup_and_modularity(arrays, known) -> None:
    table, entropy, _ = known
    gaps, modular = {}, {}
    for j in range(3):
        share = sorted(table[:, j] / entropy, reverse=True)
        gaps[j] = share[0] - share[1]
        squares = sorted(table[:, j] ** 2)
        modular[j] = 1 - sum(squares[:-1]) / (squares[-1] * 2)
    for metric, expected in ((mig_sup, gaps), (modularity, modular)):
        score = metric(*arrays, bins=BINS)
        assert score.per_code == pytest.approx(expected)
        assert score == pytest.approx(np.mean(list(expected.values())))
        # With the dead one as 0:
        everything = metric(*arrays, bins=BINS, count_dead=True)
        assert everything == pytest.approx(float(score) * 3 / 4)


def test_dcimig(arrays, known) -> None:
    table, entropy, _ = known
    best = np.zeros(3)
    for j in range(4):
        order = np.argsort(table[:, j])
        gap = table[order[-1], j] - table[order[-2], j]
        best[order[-1]] = max(best[order[-1]], gap)
    assert dcimig(*arrays, bins=BINS) == pytest.approx(best.sum() / entropy.sum())


def test_jemmig(arrays, known) -> None:
    table, entropy, of_codes = known
    z, v = arrays
    score = jemmig(z, v, bins=BINS)
    expected, nats = [], []
    for k in range(3):
        first, second = sorted(table[k], reverse=True)[:2]
        joint = entropy[k] + of_codes[table[k].argmax()] - first
        nats.append(joint - first + second)
        expected.append(1 - nats[-1] / (entropy[k] + np.log(BINS)))
    assert list(score.per_factor.values()) == pytest.approx(expected)
    assert score.details["nats"] == pytest.approx(nats)


def test_a_dimension_with_more_to_say_lowers_jemmig_but_not_mig() -> None:
    rng = np.random.default_rng(0)
    v = rng.integers(0, 3, size=(3000, 1))
    exact, noisy = v.astype(float), v + rng.uniform(-0.45, 0.45, size=v.shape)
    assert mig(exact, v, bins=20) == pytest.approx(1.0)
    assert mig(noisy, v, bins=20) > 0.97
    assert jemmig(exact, v, bins=20) == pytest.approx(1.0)
    assert jemmig(noisy, v, bins=20) < 0.6


def test_minimality_and_sufficiency(arrays, known) -> None:
    table, entropy, of_codes = known
    assert minimality(*arrays, bins=BINS) == pytest.approx(
        np.mean([table[:, j].max() / of_codes[j] for j in range(3)])
    )
    assert sufficiency(*arrays, bins=BINS) == pytest.approx(np.mean(table.max(1) / entropy))


def test_of_independent_factors_dmig_is_mig(codes, factors) -> None:
    assert dmig(codes["perfect"], factors) == pytest.approx(float(mig(codes["perfect"], factors)))


def test_where_factors_depend_a_perfect_code_has_a_dmig_of_1_and_a_mig_below() -> None:
    data = CorrelatedFactors(
        Slice(Sprites(), {"shape": 0, "orientation": 0}), [("scale", "position_x")], 0.2, n=20_000
    )
    v = data.factors(range(20_000)).numpy()
    assert mig(v, v) < 0.9
    assert dmig(v, v) == pytest.approx(1.0, abs=1e-9)
    assert xmig(v, v) == pytest.approx(1.0, abs=1e-9)  # no dimension is left over
    assert sufficiency(v, v) == pytest.approx(1.0)
    assert minimality(v, v) == pytest.approx(1.0)
    noise = np.random.default_rng(0).normal(size=v.shape)
    assert dmig(noise, v) < 0.05


def test_xmig_counts_only_what_leaks_to_other_dimensions(arrays, known) -> None:
    table, entropy, _ = known
    z, v = arrays
    score = xmig(z, v, bins=BINS, dimensions=[0, 1, 1])
    expected = [(table[k, j] - table[k, 2]) / entropy[k] for k, j in enumerate([0, 1, 1])]
    assert list(score.per_factor.values()) == pytest.approx(expected)
    assert score.details["dimensions"] == [0, 1, 1]


def test_dmig_by_hand(arrays, known) -> None:
    table, entropy, _ = known
    z, v = arrays
    score = dmig(z, v, bins=BINS, dimensions=[0, 1, 2])
    # Of factor 1 the rival is dimension 2, which is factor 2's; they are independent up to chance.
    apart = entropy[1] - histogram_information(check_arrays(v, v)).table[1, 2]
    assert score.per_factor["factor 1"] == pytest.approx((table[1, 1] - table[1, 2]) / apart)


def test_a_function_of_another_factor_is_left_out_of_dmig() -> None:
    v = np.arange(60)[:, None] % 6
    both = np.concatenate([v, v % 3, np.arange(60)[:, None] // 30], axis=1)
    score = dmig(both, both, names=["six", "three", "half"], dimensions=[0, 1, 2])
    assert score.details["undefined"] == ["three"]
    assert set(score.per_factor) == {"six", "half"}
    with pytest.raises(CannotComputeError, match="a function of another"):
        dmig(np.repeat(v, 2, 1), np.repeat(v, 2, 1), dimensions=[0, 1])


@pytest.mark.parametrize("dimensions", [[0, 1], [0, 1, 4], [0, 1, -1]])
@pytest.mark.parametrize("metric", [dmig, xmig])
def test_dimensions_are_one_per_factor(arrays, metric, dimensions) -> None:
    with pytest.raises(ValueError, match="expected the dimension, 0 to 3, of each of 3 factors"):
        metric(*arrays, dimensions=dimensions)


def test_what_several_metrics_need_is_computed_once(arrays) -> None:
    checked = check_arrays(*arrays)
    first = histogram_information(checked, BINS)
    assert histogram_information(checked, BINS) is first
    assert mig(checked, bins=BINS) == mig(*arrays, bins=BINS)
