import pytest
import torch

from disvae.schedules import Linear, at_step


@pytest.mark.parametrize(
    ("step", "value"), [(0, 2.0), (5, 6.0), (10, 10.0), (11, 10.0), (None, 10.0)]
)
def test_linear(step, value) -> None:
    schedule = Linear(2.0, 10.0, steps=10)
    assert schedule(step) == value
    if step is not None:
        assert schedule(torch.tensor(step)).item() == value


def test_linear_may_fall() -> None:
    assert Linear(1.0, 0.0, steps=4)(1) == 0.75


def test_constants_do_not_change() -> None:
    assert at_step(3.0, 7) == 3.0
    assert at_step(Linear(0.0, 1.0, 2), 1) == 0.5


def test_needs_a_step() -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        Linear(0.0, 1.0, steps=0)
