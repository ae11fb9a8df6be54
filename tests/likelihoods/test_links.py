"""Sigmoid and tanh before a likelihood that declares their range."""

import pytest
import torch

from disvae.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    LearnedGaussian,
    Sigmoid,
    SquaredError,
    Tanh,
)


@pytest.fixture
def parameters_and_images():
    torch.manual_seed(0)
    return torch.randn(3, 1, 4, 5).double(), torch.rand(3, 1, 4, 5).double()


def test_squared_error_of_a_tanh(parameters_and_images) -> None:
    parameters, x = parameters_and_images
    likelihood = Tanh(SquaredError(data_range=(-1.0, 1.0)))
    expected = (parameters.tanh() - (2 * x - 1)).square().sum((1, 2, 3))
    torch.testing.assert_close(likelihood.nll(parameters, x), expected)
    torch.testing.assert_close(likelihood.mean(parameters), (parameters.tanh() + 1) / 2)


def test_squared_error_of_a_sigmoid(parameters_and_images) -> None:
    parameters, x = parameters_and_images
    likelihood = Sigmoid(SquaredError())
    expected = (parameters.sigmoid() - x).square().sum((1, 2, 3))
    torch.testing.assert_close(likelihood.nll(parameters, x), expected)
    torch.testing.assert_close(likelihood.mean(parameters), parameters.sigmoid())


def test_tanh_and_sigmoid_are_one_model_in_two_units(parameters_and_images) -> None:
    # tanh(a) = 2·sigmoid(2a) - 1
    parameters, x = parameters_and_images
    tanh = Tanh(Gaussian(0.4, data_range=(-1.0, 1.0)))
    sigmoid = Sigmoid(Gaussian(0.2))
    torch.testing.assert_close(tanh.nll(parameters, x), sigmoid.nll(2 * parameters, x))


def test_parameters_of_the_base_are_not_hidden() -> None:
    base = LearnedGaussian(0.3)
    assert list(Sigmoid(base).parameters()) == [base.log_std]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tanh(SquaredError()), r"has data_range=\(0.0, 1.0\)"),
        (lambda: Sigmoid(Gaussian(1.0, (-1.0, 1.0))), r"such as SquaredError with data_range \[0"),
        (lambda: Sigmoid(Bernoulli()), "Bernoulli takes logits"),
        (lambda: Tanh(ContinuousBernoulli()), "ContinuousBernoulli takes logits"),
    ],
)
def test_refuses_a_base_of_another_range(make, message) -> None:
    with pytest.raises(ValueError, match=message):
        make()
