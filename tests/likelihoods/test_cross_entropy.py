"""The cross-entropy is that of PyTorch in twice the precision, and so are its derivatives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from disvae.likelihoods.cross_entropy import cross_entropy


def theirs(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none")


@given(
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=20),
    st.floats(0, 1, width=32),
)
def test_values_and_gradients(logits, grey) -> None:
    a = torch.tensor(logits, requires_grad=True)
    exact = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    found, expected = (
        [value, *torch.autograd.grad(value.sum(), at)]
        for value, at in (
            (cross_entropy(a, torch.full_like(a, grey)), a),
            (theirs(exact, torch.full_like(exact, grey)), exact),
        )
    )
    torch.testing.assert_close(found[0].double(), expected[0], rtol=1e-6, atol=1e-13)
    torch.testing.assert_close(found[1].double(), expected[1], rtol=1e-6, atol=2e-7)


def test_small_numbers_are_not_lost() -> None:
    """log(1 + e) where e is far below what float32 resolves beside 1."""
    logits = torch.tensor([20.0, 40.0, 80.0])
    torch.testing.assert_close(cross_entropy(logits, torch.ones(3)), (-logits).exp())


def test_derivatives() -> None:
    logits = torch.randn(7, dtype=torch.float64, requires_grad=True)
    x = torch.rand(7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cross_entropy, (logits, x))
    assert torch.autograd.gradgradcheck(cross_entropy, (logits, x))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_so(bad) -> None:
    assert not cross_entropy(torch.tensor([bad]), torch.tensor([0.5])).isfinite().any()


def test_many_at_once() -> None:
    logits, x = torch.randn(3, 5), torch.rand(3, 5)
    gradients = torch.func.vmap(torch.func.grad(lambda a, b: cross_entropy(a, b).sum()))(logits, x)
    torch.testing.assert_close(gradients, logits.sigmoid() - x)
