"""What holds for every metric of codes and factors."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disvae.metrics import (
    METRICS,
    CannotComputeError,
    DegenerateCodesWarning,
    downstream_accuracy,
    infoc,
    infom,
    leakage,
)
from disvae.testing import check_metric

# Few rounds where that is what takes long: the contract does not depend on their number.
FAST = {
    "FactorVAE score": {"train_votes": 500, "eval_votes": 500},
    "β-VAE score": {"train_points": 300, "eval_points": 300},
}
EVERY = {name: partial(metric, **FAST.get(name, {})) for name, metric in METRICS.items()}
EVERY |= {
    # The widest dimension decides which are in use, so that units matter unless all are.
    "InfoM": partial(infom, min_range=0.0),
    "InfoC": partial(infoc, min_range=0.0),
    "downstream accuracy": partial(downstream_accuracy, n_labels=(200,)),
    "leakage": partial(leakage, classifier="logistic"),
}
NEED_TWO = {
    "FactorVAE score",
    "β-VAE score",
    "MIG-sup",
    "modularity",
    "InfoM",
    "Z-max-variance score",
}
# What pure noise scores where that is not near 0, and why: the docs.
OF_NOISE = {
    "FactorVAE score": 0.5,
    "β-VAE score": 0.5,
    "Z-max-variance score": 0.5,
    "downstream accuracy": 0.35,
    "leakage": 0.35,
    "modularity": 1.0,
    "InfoM": 1.0,
    "InfoC": 1.0,
    "IRS": 0.3,
    "JEMMIG": 0.3,
}
# What factors as codes score where that is not 1: a linear classifier is not enough, or chance.
OF_FACTORS = {
    "SAP": 0.3,
    "explicitness": 0.85,
    "InfoE": 0.9,
    "DCI": 0.999,
    "InfoM": 0.95,
    "InfoC": 0.95,
    "leakage": 0.9,
}

FACTORS = np.tile(np.stack(np.divmod(np.arange(12), 4), axis=1), (40, 1))
NOISE = np.random.default_rng(0).normal(size=(len(FACTORS), 3))


@pytest.mark.parametrize("name", EVERY)
def test_contract(name) -> None:
    check_metric(EVERY[name])


@pytest.mark.parametrize("name", EVERY)
def test_perfect_codes_and_noise(name) -> None:
    perfect = EVERY[name](FACTORS * [2.0, -0.3], FACTORS)
    assert OF_FACTORS.get(name, 1.0) - 1e-9 <= perfect <= 1 + 1e-12
    noise = EVERY[name](NOISE, FACTORS)
    assert -1e-12 <= noise <= OF_NOISE.get(name, 0.05) + 0.1


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), dims=st.integers(1, 4), mix=st.floats(0, 1))
@pytest.mark.parametrize("name", [name for name in EVERY if name != "DCI"])
def test_range_and_dead_dimensions(name, seed, dims, mix) -> None:
    """Between 0 and 1, and a constant dimension more changes nothing, for codes of any quality."""
    rng = np.random.default_rng(seed)
    n = 120
    factors = rng.integers(0, [3, 4], size=(n, 2))
    codes = mix * factors @ rng.normal(size=(2, dims))
    codes += (1.01 - mix) * rng.normal(size=(n, dims))
    metric = EVERY[name]
    if name == "downstream accuracy":
        metric = partial(downstream_accuracy, n_labels=(80,))
    try:
        score = metric(codes, factors)
    except CannotComputeError:  # few samples share all factors but one
        assert name == "Z-max-variance score"
        return
    assert -1e-12 <= score <= 1 + 1e-9
    at = rng.integers(dims + 1)
    more = metric(np.insert(codes, at, 0.7, axis=1), factors)
    # Nearest neighbours may change with the last digit of a code.
    apart = 0.03 if name.startswith("Info") else 1e-6
    assert more == pytest.approx(float(score), abs=apart)
    assert more.details["dead_dimensions"] == [at]


# What draws or learns may change a little with the last digit of a code, or the order of draws.
ROUGH = {"SAP": 0.03, "explicitness": 0.01, "downstream accuracy": 0.05, "leakage": 0.05}
ROUGH |= {"InfoM": 0.05, "InfoC": 0.05, "InfoE": 1e-3, "β-VAE score": 0.02}


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10**6), dims=st.integers(2, 4), mix=st.floats(0, 1))
@pytest.mark.parametrize("name", [name for name in EVERY if name != "DCI"])
def test_order_signs_and_units_change_nothing(name, seed, dims, mix) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 4], size=(400, 2))
    codes = mix * factors @ rng.normal(size=(2, dims)) + rng.normal(size=(400, dims))
    unit = np.exp(rng.uniform(-5, 5, dims)) * rng.choice([-1, 1], dims)
    turned = (codes * unit)[:, rng.permutation(dims)]
    score = EVERY[name](codes, factors)
    apart = ROUGH.get(name, 1e-9)
    assert EVERY[name](turned, factors) == pytest.approx(float(score), abs=apart)


OFFSETS = st.sampled_from([0.0, 1.0, -1e7, 1e12])
UNITS = st.sampled_from([1e-12, 1.0, 1e12])


@settings(max_examples=6)
@given(OFFSETS, UNITS)
@pytest.mark.parametrize("name", [name for name in EVERY if name != "DCI"])
def test_an_offset_changes_nothing(name, offset, unit) -> None:
    rng = np.random.default_rng(0)
    # On a grid that the largest offset leaves exact.
    codes = np.round((FACTORS + 0.3 * rng.normal(size=FACTORS.shape)) * 1024) / 1024
    moved = (codes + offset) * unit
    expected, actual = float(EVERY[name](codes, FACTORS)), float(EVERY[name](moved, FACTORS))
    assert actual == pytest.approx(expected, abs=ROUGH.get(name, 1e-3))


def test_dci_of_codes_of_any_quality() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [3, 4], size=(120, 2))
    for mix in (0.0, 0.5, 1.0):
        codes = mix * factors @ rng.normal(size=(2, 3)) + rng.normal(size=(120, 3))
        score = METRICS["DCI"](codes, factors)
        more = METRICS["DCI"](np.insert(codes, 1, 5.0, axis=1), factors)
        for a, b in zip((score, *score.parts), (more, *more.parts), strict=True):
            assert 0 <= a <= 1
            assert a == pytest.approx(float(b), abs=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_constant_codes_are_scored_and_warned_of(name) -> None:
    with pytest.warns(DegenerateCodesWarning):
        score = EVERY[name](np.ones((len(FACTORS), 3)), FACTORS)
    assert 0 <= score <= 0.6


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.where(np.arange(480)[:, None] == 7, np.nan, NOISE), FACTORS, "NaN or infinite"),
        (np.where(np.arange(480)[:, None] == 7, np.inf, NOISE), FACTORS, "NaN or infinite"),
        (NOISE, FACTORS * [1, 0], "has one value"),
        (NOISE[:1], FACTORS[:1], "at least 2 samples"),
        (NOISE[:-1], FACTORS, "expected one row per code"),
        (NOISE, FACTORS + 0.5, "must be integers"),
        (NOISE[:, 0], FACTORS, "expected codes"),
    ],
)
def test_bad_arrays_are_named(name, codes, factors, message) -> None:
    with pytest.raises(ValueError, match=message):
        EVERY[name](codes, factors)


@pytest.mark.parametrize("name", sorted(NEED_TWO))
def test_one_factor_is_not_enough(name) -> None:
    with pytest.raises(CannotComputeError, match="needs 2 at least, got 1"):
        EVERY[name](NOISE, FACTORS[:, :1])


@pytest.mark.parametrize("name", sorted(set(EVERY) - NEED_TWO))
def test_one_factor_is_enough(name) -> None:
    assert 0 <= EVERY[name](NOISE, FACTORS[:, :1]) <= 1


ODD = {
    "values with gaps": (NOISE, np.where(FACTORS == 1, 9, 2 * FACTORS - 5)),
    "one sample of a value": (NOISE, np.where(np.arange(480)[:, None] == 3, 7, FACTORS)),
    "six samples": (NOISE[:6], np.array([[0, 0], [1, 1], [0, 1], [1, 0], [2, 1], [2, 0]])),
    "a dimension three times": (NOISE[:, [0, 0, 0]], FACTORS),
    "codes of two values": ((NOISE > 0) * 1.0, FACTORS),
    "tiny codes": (1e-200 * NOISE, FACTORS),
    "truth values": (NOISE, FACTORS > 1),
    "one dimension": (NOISE[:, :1], FACTORS),
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("case", ODD)
def test_odd_arrays_give_a_score_or_a_reason(name, case) -> None:
    """Without a warning: those are errors here."""
    try:
        score = EVERY[name](*ODD[case])
    except CannotComputeError:
        assert case == "six samples" or name == "Z-max-variance score"
        return
    assert all(-1e-9 <= value <= 1 + 1e-9 for value in (score, *score.parts))


@pytest.mark.parametrize("predictor", ["lasso", "forest"])
def test_dci_of_few_samples(predictor) -> None:
    score = METRICS["DCI"](*ODD["six samples"], predictor=predictor)
    assert 0 <= score <= 1
