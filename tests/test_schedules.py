import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disvae.schedules import Cosine, Cyclical, Linear, Piecewise, Schedule, at_step
from disvae.spec import build, describe

SCHEDULES = [
    Linear(2.0, 10.0, steps=10),
    Cosine(2.0, 10.0, steps=10),
    Cyclical(2.0, 10.0, period=5, cycles=3),
    Piecewise([(3, 2.0), (7, 4.0), (8, 10.0)]),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(step=st.integers(0, 40))
def test_a_tensor_gives_what_an_integer_does(schedule, step) -> None:
    value = schedule(torch.tensor(step))
    assert isinstance(value, torch.Tensor)
    assert value.item() == pytest.approx(schedule(step), rel=1e-6)
    assert 2.0 <= schedule(step) <= 10.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_begins_at_the_start_and_is_over_at_the_end(schedule) -> None:
    assert schedule(0) == 2.0
    assert schedule(1_000_000) == pytest.approx(10.0)
    assert schedule(None) == 10.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_survives_its_description(schedule) -> None:
    assert build(describe(schedule), Schedule) == schedule
    assert hash(schedule) is not None


@pytest.mark.parametrize(("step", "value"), [(0, 2.0), (5, 6.0), (10, 10.0), (11, 10.0)])
def test_linear(step, value) -> None:
    assert Linear(2.0, 10.0, steps=10)(step) == value


def test_linear_may_fall() -> None:
    assert Linear(1.0, 0.0, steps=4)(1) == 0.75


def test_cosine() -> None:
    schedule = Cosine(0.0, 1.0, steps=12)
    for step in range(13):
        assert schedule(step) == pytest.approx(math.sin(math.pi * step / 24) ** 2, abs=1e-12)


def test_each_cycle_is_a_warm_up() -> None:
    schedule = Cyclical(1.0, 3.0, period=20, cycles=2, rising=0.5)
    one = Linear(1.0, 3.0, steps=10)
    assert [schedule(step) for step in range(40)] == 2 * [one(step) for step in range(20)]
    assert schedule(40) == 3.0  # not the start of a third
    assert Cyclical(0.0, 1.0, period=4, rising=1.0)(3) == 0.75


def test_piecewise() -> None:
    schedule = Piecewise([(10, 1.0), (20, 3.0), (21, 0.0)])
    values = {0: 1.0, 10: 1.0, 15: 2.0, 20: 3.0, 21: 0.0, 99: 0.0}
    assert {step: schedule(step) for step in values} == values
    assert Piecewise([(5, 4.0)])(0) == 4.0


def test_constants_do_not_change() -> None:
    assert at_step(3.0, 7) == 3.0
    assert at_step(Linear(0.0, 1.0, 2), 1) == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(0.0, 1.0, steps=0), "at least 1 step, got steps=0"),
        (lambda: Cosine(0.0, 1.0, steps=0), "at least 1 step, got steps=0"),
        (lambda: Cyclical(0.0, 1.0, period=0), "period=0"),
        (lambda: Cyclical(0.0, 1.0, period=4, cycles=0), "cycles=0"),
        (lambda: Cyclical(0.0, 1.0, period=4, rising=1.5), "a part of a cycle"),
        (lambda: Piecewise([]), "rising steps"),
        (lambda: Piecewise([(5, 1.0), (5, 2.0)]), "rising steps"),
    ],
)
def test_what_is_no_schedule(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
