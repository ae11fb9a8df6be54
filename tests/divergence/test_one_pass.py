"""One pass gives what the two players' own passes give, to rounding."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from disvae.divergence import PermutedRatio
from disvae.divergence.density_ratio import density_ratio, discriminator_loss
from disvae.divergence.one_pass import is_row_by_row, one_pass
from disvae.models import Discriminator

D = 3


def two_passes(discriminator, z, reference):
    ratio = density_ratio(copy.deepcopy(discriminator).requires_grad_(False), z)
    return ratio, discriminator_loss(discriminator, z.detach(), reference)


def results(passes, discriminator, z, reference):
    z = z.clone().requires_grad_()
    ratio, loss = passes(discriminator, z, reference)
    parameters = list(discriminator.parameters())
    return [ratio, loss, *torch.autograd.grad(7 * ratio + 0.5 * loss, [z, *parameters])]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("normalization", ["none", "layer"])
@pytest.mark.parametrize("n_hidden", [0, 1, 3])
@pytest.mark.parametrize("n_reference", [10, 6])
def test_values_and_gradients_equal_those_of_two_passes(
    dtype, tolerance, normalization, n_hidden, n_reference
) -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(D, 8, n_hidden, normalization=normalization).to(dtype)
    z, reference = torch.randn(10, D, dtype=dtype), torch.randn(n_reference, D, dtype=dtype)
    found = results(one_pass, discriminator, z, reference)
    expected = results(two_passes, discriminator, z, reference)
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def test_a_certain_discriminator_still_gives_the_codes_their_gradient() -> None:
    """Where its own gradient is too small for float32, the ratio's is not derived from it."""
    discriminator = nn.Sequential(nn.Linear(D, 2))
    with torch.no_grad():
        discriminator[0].weight.copy_(torch.tensor([[300.0], [-300.0]]).expand(2, D))
    z = torch.ones(4, D)
    found = results(one_pass, discriminator, z, -z)
    torch.testing.assert_close(found, results(two_passes, discriminator, z, -z))
    torch.testing.assert_close(found[2], torch.full((4, D), 7 * 600 / 4))


def test_a_layer_that_occurs_twice() -> None:
    shared = nn.Linear(D, D).double()
    layers = [shared, nn.ReLU(), shared, nn.LeakyReLU(), nn.Linear(D, 2)]
    discriminator = nn.Sequential(*layers).double()
    z, reference = torch.randn(2, 5, D, dtype=torch.float64)
    found = results(one_pass, discriminator, z, reference)
    torch.testing.assert_close(found, results(two_passes, discriminator, z, reference))


def test_frozen_parameters_get_no_gradient() -> None:
    discriminator = Discriminator(D, 8, 2)
    discriminator[0].requires_grad_(False)
    z = torch.randn(5, D, requires_grad=True)
    sum(one_pass(discriminator, z, torch.randn(5, D))).backward()
    assert z.grad is not None
    assert discriminator[0].weight.grad is None
    assert discriminator[2].weight.grad is not None


def test_there_are_no_second_derivatives() -> None:
    z = torch.randn(5, D, requires_grad=True)
    ratio, _ = one_pass(Discriminator(D, 8, 1), z, torch.randn(5, D))
    (gradient,) = torch.autograd.grad(ratio, z, create_graph=True)
    assert not gradient.requires_grad


def test_autocast() -> None:
    discriminator = Discriminator(D, 32, 2)
    z, reference = torch.randn(2, 20, D)
    with torch.autocast("cpu", torch.bfloat16):
        found = results(one_pass, discriminator, z, reference)
    assert all(tensor.dtype == torch.float32 for tensor in found)
    torch.testing.assert_close(
        found, results(two_passes, discriminator, z, reference), rtol=0.05, atol=0.05
    )


def test_only_known_layers_are_row_by_row() -> None:
    class Own(nn.Module):
        def forward(self, z):
            return z

    assert not is_row_by_row(Own())
    assert not is_row_by_row(Discriminator(D, 8, 1, normalization="batch"))
    assert not is_row_by_row(Discriminator(D, 8, 1, dropout=0.5))
    assert is_row_by_row(Discriminator(D, 8, 1, normalization="layer"))


class Skip(nn.Sequential):
    def forward(self, z):
        return self[2](self[1](self[0](z)) + z)


def test_layers_that_write_over_their_input_are_no_chain() -> None:
    for activation in (nn.ReLU, nn.LeakyReLU):
        assert is_row_by_row(nn.Sequential(nn.Linear(D, D), activation(), nn.Linear(D, 2)))
        inplace = nn.Sequential(nn.Linear(D, D), activation(inplace=True), nn.Linear(D, 2))
        assert not is_row_by_row(inplace)


def test_a_sequential_with_a_forward_of_its_own_is_no_chain() -> None:
    skip = Skip(nn.Linear(D, D), nn.ReLU(), nn.Linear(D, 2))
    assert not is_row_by_row(skip)
    assert is_row_by_row(Discriminator(D, 8, 2))


@pytest.mark.parametrize("kind", ["inplace", "skip"])
def test_estimator_takes_two_passes_where_one_would_be_wrong(kind) -> None:
    torch.manual_seed(0)
    discriminator = Skip(nn.Linear(D, D), nn.ReLU(), nn.Linear(D, 2)).double()
    if kind == "inplace":
        discriminator = nn.Sequential(nn.Linear(D, D), nn.ReLU(inplace=True), nn.Linear(D, 2))
        discriminator.double()
    estimator = PermutedRatio(discriminator)
    prior = Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64))
    z, other = torch.randn(2, 5, D, dtype=torch.float64)

    def both(_, z, other):
        torch.manual_seed(1)  # of the permutation
        return estimator.both(z, prior, other)

    def separate(_, z, other):
        torch.manual_seed(1)
        return estimator.log_ratio(z), estimator.opponent_loss(z, prior, other)

    found = results(both, discriminator, z, other)
    torch.testing.assert_close(found, results(separate, discriminator, z, other))
