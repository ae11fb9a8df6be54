import math

import numpy as np
import pytest

from disvae.metrics import mig
from disvae.metrics.factor_rows import factor_rows

GRID = np.stack(np.meshgrid(range(4), range(5), range(2), indexing="ij"), -1).reshape(-1, 3)


def test_a_dimension_of_one_factor_has_all_of_it_and_no_second() -> None:
    rows = factor_rows(mig(GRID[:, [2, 0, 1]], GRID, names=["a", "b", "c"]))
    assert [rows[name].dimension for name in "abc"] == [1, 2, 0]
    assert all(row.share == pytest.approx(1.0) for row in rows.values())
    assert all(row.lead > 1e6 for row in rows.values())


def test_lead_is_the_ratio_of_the_information_on_two_factors() -> None:
    # One code of all pairs of the first two factors: it knows ln 4 of one and ln 5 of the other.
    code = 5 * GRID[:, :1] + GRID[:, 1:2]
    rows = factor_rows(mig(code, GRID, bins=39, names=["a", "b", "c"]))
    assert rows["b"].lead == pytest.approx(math.log(5) / math.log(4))
    assert rows["a"].lead == pytest.approx(math.log(4) / math.log(5))
    assert rows["c"].share == pytest.approx(0.0, abs=1e-12)


def test_constant_codes_stand_for_nothing() -> None:
    with pytest.warns(match="MIG"):
        rows = factor_rows(mig(np.zeros((40, 2)), GRID, names=["a", "b", "c"]))
    assert all(row.share == 0 and row.lead == 0 for row in rows.values())
