"""Quantised codes: the nearest value, a gradient that goes straight through, certain posteriors."""

import math

import pytest
import torch
from small import small_qlae
from torch import nn

from disvae.divergence import kl_per_dimension
from disvae.models import QLAE, BurgessQLAE
from disvae.spec import build, describe

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_each_dimension_takes_the_nearest_of_its_values() -> None:
    model = small_qlae(3, 4)
    with torch.no_grad():
        model.codebook.copy_(torch.rand(3, 4))
    output = model(X)
    for i in range(6):
        for j in range(3):
            distances = [abs(output.encoded[i, j] - v).item() for v in model.codebook[j]]
            nearest = min(range(4), key=distances.__getitem__)
            assert output.values[i, j] == model.codebook[j, nearest]
            assert model.represent(X)[i, j] == nearest


def test_the_decoder_gets_the_values() -> None:
    model = small_qlae()
    output = model(X)
    torch.testing.assert_close(output.parameters, model.decoder(output.values))
    torch.testing.assert_close(output.parameters, model.decode(output.z))
    torch.testing.assert_close(output.parameters, model.decode(model.represent(X)))


def test_the_gradient_goes_straight_through_to_the_encoder_and_not_to_the_codebook() -> None:
    model = small_qlae()
    values = model(X).values.detach().requires_grad_()
    model.decoder(values).square().sum().backward()
    output = model(X)
    output.encoded.retain_grad()
    output.parameters.square().sum().backward()
    torch.testing.assert_close(output.encoded.grad, values.grad)
    assert model.codebook.grad is None


def test_the_posterior_is_certain_and_its_kl_is_that_of_a_choice() -> None:
    model = small_qlae(3, 4)
    posterior = model.encode(X)
    assert torch.equal(posterior.codes(posterior.rsample()), model.represent(X))
    kl = kl_per_dimension(posterior, model.prior)
    torch.testing.assert_close(kl, torch.full_like(kl, math.log(4)))


def test_draws_take_all_values_alike() -> None:
    draws = small_qlae(2, 4).draw(4000, torch.Generator().manual_seed(1))
    for column in draws.T:
        assert (column.long().bincount(minlength=4) / 4000 - 0.25).abs().max() < 0.04


@pytest.mark.parametrize(("latent_dim", "n_values"), [(0, 4), (3, 1)])
def test_what_is_no_codebook_is_refused(latent_dim: int, n_values: int) -> None:
    with pytest.raises(ValueError, match="expected latent_dim of at least 1 and n_values"):
        QLAE(nn.Identity(), nn.Identity(), latent_dim, n_values)


def test_an_encoder_of_another_width_is_refused() -> None:
    model = small_qlae(3)
    model.latent_dim = 4
    with pytest.raises(ValueError, match="the encoder must give"):
        model.represent(X)


def test_a_description_builds_the_same() -> None:
    model = BurgessQLAE((1, 32, 32), latent_dim=3, n_values=5)
    same = build(describe(model), QLAE)
    same.load_state_dict(model.state_dict())
    x = torch.rand(2, 1, 32, 32)
    assert torch.equal(same.represent(x), model.represent(x))
