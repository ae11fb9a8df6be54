"""QLAE: nearest values by a slow loop, straight-through gradients, and certain codes."""

import math

import pytest
import torch
from small import networks, small_qlae

from disvae.divergence import exact_decomposition, kl_per_dimension
from disvae.models import QLAE, BurgessQLAE, LatentModel
from disvae.spec import build, describe

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def uneven() -> QLAE:
    """A codebook whose values differ between dimensions, and are in no order."""
    model = small_qlae()
    with torch.no_grad():
        model.codebook.copy_(torch.randn(3, 4))
    return model


def test_values_are_the_nearest_of_each_dimension() -> None:
    model = uneven()
    output, numbers = model(X), model.represent(X)
    encoded, codebook = output.encoded.detach(), model.codebook.detach()
    for i in range(6):
        for j in range(3):
            distances = [abs(float(encoded[i, j] - v)) for v in codebook[j]]
            nearest = min(range(4), key=lambda k, distances=distances: distances[k])
            assert numbers[i, j] == nearest
            assert output.values[i, j] == codebook[j, nearest]
    assert torch.equal(output.posterior.loc, numbers)
    assert torch.equal(output.posterior.codes(output.z), numbers)


def test_decoding_numbers_columns_and_values_is_the_same() -> None:
    model = uneven()
    output = model(X)
    expected = model.decoder(output.values)
    torch.testing.assert_close(output.parameters, expected)
    torch.testing.assert_close(model.decode(model.represent(X)), expected)
    torch.testing.assert_close(model.decode(output.z), expected)
    torch.testing.assert_close(model.reconstruct(X), model.likelihood.mean(expected))


def test_the_gradient_goes_straight_through_to_the_encoder_and_not_to_the_codebook() -> None:
    model = uneven()
    output = model(X)
    weights = torch.randn_like(output.parameters)
    values = output.values.detach().requires_grad_()
    (at_values,) = torch.autograd.grad((weights * model.decoder(values)).sum(), values)
    loss = (weights * output.parameters).sum()
    at_encoder, at_codebook = torch.autograd.grad(
        loss, [output.encoded, model.codebook], allow_unused=True
    )
    torch.testing.assert_close(at_encoder, at_values)
    assert at_codebook is None


def test_the_codebook_starts_evenly_spaced() -> None:
    expected = torch.tensor([-0.5, -1 / 6, 1 / 6, 0.5]).expand(3, 4)
    torch.testing.assert_close(small_qlae().codebook.detach(), expected)


def test_codes_are_certain() -> None:
    model = uneven()
    q = model.encode(X)
    for block in q.logits:
        assert set(block.exp().unique().tolist()) == {0.0, 1.0}
    expected = torch.full((6, 3), math.log(4))
    torch.testing.assert_close(kl_per_dimension(q, model.prior), expected)
    assert torch.equal(q.codes(q.rsample()), q.loc)
    terms = exact_decomposition(q)
    n_different = len({tuple(code) for code in model.represent(X).tolist()})
    assert terms.mutual_information <= math.log(n_different) + 1e-9
    assert terms.total.item() == pytest.approx(3 * math.log(4))


def test_codes_of_the_prior() -> None:
    z = small_qlae().draw(8_000, torch.Generator().manual_seed(0))
    assert z.shape == (8_000, 3)
    shares = torch.stack([(z == k).float().mean(0) for k in range(4)])
    assert (shares - 0.25).abs().max() < 0.03


def test_network_and_description() -> None:
    model, x = BurgessQLAE((1, 16, 16), latent_dim=4, n_values=5).eval(), torch.rand(3, 1, 16, 16)
    assert (model.latent_dim, model.columns, model.discrete) == (4, 20, (0, 1, 2, 3))
    made = build(describe(model), LatentModel)
    made.load_state_dict(model.state_dict())
    assert torch.equal(made.eval().represent(x), model.represent(x))
    assert describe(made) == describe(model)


@pytest.mark.parametrize("sizes", [{"latent_dim": 0}, {"latent_dim": 3, "n_values": 1}])
def test_bad_sizes(sizes) -> None:
    with pytest.raises(ValueError, match="latent_dim of at least 1 and n_values of at least 2"):
        QLAE(*networks(3, 3), **sizes)


def test_an_encoder_of_another_width() -> None:
    with pytest.raises(ValueError, match=r"\(batch, latent_dim\) = \(6, 3\) numbers"):
        QLAE(*networks(4, 3), latent_dim=3)(X)
