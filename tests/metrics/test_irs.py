import numpy as np
import pytest

from disvae.metrics import irs


def by_loops(z, v, quantile):
    table = np.zeros((z.shape[1], v.shape[1]))
    widest = np.abs(z - z.mean(0)).max(0)
    for j in range(z.shape[1]):
        for k in range(v.shape[1]):
            values = np.unique(v[:, k])
            apart = [np.abs(z[v[:, k] == x, j] - z[v[:, k] == x, j].mean()) for x in values]
            table[j, k] = 1 - np.mean([np.quantile(a, quantile) for a in apart]) / widest[j]
    return table, widest


@pytest.mark.parametrize("quantile", [1.0, 0.99, 0.5])
def test_by_its_definition(codes, factors, quantile) -> None:
    z = codes["rotated"]
    table, widest = by_loops(z, factors, quantile)
    score = irs(z, factors, quantile=quantile)
    np.testing.assert_allclose(score.details["robustness"], np.maximum(table, 0))
    best = np.maximum(table, 0).max(1)
    assert score == pytest.approx(best.mean())
    assert irs(z, factors, quantile=quantile, weighted=True) == pytest.approx(
        np.average(best, weights=widest)
    )
    assert score.per_code == pytest.approx(dict(enumerate(best)))


def test_perfect_codes_do_not_move(standard, factors) -> None:
    score = irs(standard, factors, names=list("abcd"))
    assert score == pytest.approx(1.0)
    assert score.details["parent"] == list("abcd")


@pytest.mark.parametrize("quantile", [0.0, 1.1])
def test_quantile(factors, quantile) -> None:
    with pytest.raises(ValueError, match="quantile must be above 0"):
        irs(factors, factors, quantile=quantile)
