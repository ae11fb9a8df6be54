import numpy as np
import pytest
import torch

from disvae.metrics import evaluate, factor_vae_score, mig
from disvae.metrics.arrays import check_arrays

Z = np.arange(12.0).reshape(6, 2)
V = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [0, 1], [1, 0]])


@pytest.mark.parametrize("metric", [factor_vae_score, mig, evaluate])
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.where(Z == 5, np.nan, Z), V, r"NaN or infinite values, in dimensions \[1\]"),
        (np.where(Z == 4, np.inf, Z), V, r"NaN or infinite values, in dimensions \[0\]"),
        (Z[:5], V, "5 codes but 6 rows of factors"),
        (Z[:1], V[:1], "at least 2 samples"),
        (Z[:0], V[:0], r"got shapes \(0, 2\)"),
        (Z[:, :0], V, r"got shapes \(6, 0\)"),
        (Z[:, 0], V, r"got shapes \(6,\)"),
        (Z, V[:, 0], "give one factor as a column"),
        (Z, V + 0.5, "factors must be integers"),
        (Z, np.where(V == 1, np.nan, 0.0), "factors must be integers"),
        (Z, V.astype(str), "factors must be integers"),
        (Z, V * [1, 0], "'factor 1' has one value"),
    ],
)
def test_bad_arrays(metric, codes, factors, message) -> None:
    with pytest.raises(ValueError, match=message):
        metric(codes, factors)


@pytest.mark.untyped
def test_names() -> None:
    with pytest.raises(ValueError, match="1 names for 2 factors"):
        mig(Z, V, names=["a"])
    with pytest.raises(ValueError, match="'size' has one value"):
        mig(Z, V * [1, 0], names=["shape", "size"])
    with pytest.raises(ValueError, match="different name for each factor"):
        mig(Z, V, names=["a", "a"])
    with pytest.raises(ValueError, match="0 names for 2 factors"):
        mig(Z, V, names=[])
    assert check_arrays(Z, V, np.array(["a", "b"])).names == ("a", "b")
    assert check_arrays(Z, V, ["a", "b"]).names == ("a", "b")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_types(dtype) -> None:
    arrays = check_arrays(torch.tensor(Z).to(dtype), torch.tensor(V).float())
    assert arrays.codes.dtype == np.float64
    assert (arrays.codes == Z).all()
    assert arrays.factors.dtype == np.int64
    assert (arrays.factors == V).all()


def test_dead_dimensions_whatever_the_unit() -> None:
    rng = np.random.default_rng(0)
    rounding = 1 + 2**-23 * rng.integers(-2, 3, (100, 1))  # of float32
    small = 1 + 1e-4 * rng.normal(size=(100, 1))
    factors = rng.integers(0, 3, (100, 1))
    for unit in (1e-200, 1e-20, 1.0, 1e20, 1e200):
        z = unit * np.concatenate([rounding, small, np.zeros((100, 1))], axis=1)
        assert check_arrays(z, factors).details()["dead_dimensions"] == [0, 2]


def test_codes_that_were_only_shifted_are_alive() -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 3, 600), rng.integers(0, 6, 600)], 1)
    codes = factors + 0.05 * rng.normal(size=factors.shape)
    for offset in (1e7, -1e10):
        assert float(mig(codes + offset, factors)) == pytest.approx(
            float(mig(codes, factors)), abs=5e-3
        )


@pytest.mark.parametrize("start", [0, 1, 1000])
def test_numbers_of_the_samples_are_no_factor_and_no_code(start: int) -> None:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 3, 500), rng.integers(0, 6, 500)], 1)
    codes = factors + 0.05 * rng.normal(size=factors.shape)
    numbers = start + np.arange(500)[:, None]
    with pytest.raises(
        ValueError, match=r"'factor 0' has another value in each of the 500 samples"
    ):
        mig(codes, np.hstack([rng.permutation(numbers), factors]))
    for some in (numbers, rng.permutation(numbers)):
        with pytest.raises(ValueError, match=r"dimension 2 of the codes is another whole number"):
            mig(np.hstack([codes, some]), factors)
