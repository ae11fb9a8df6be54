"""Codes with categories: widths, draws, and that codes and columns decode alike."""

import math

import pytest
import torch
from small import small_mixed

from disvae import FactorVAELoss, Trainer
from disvae.divergence import kl_per_dimension
from disvae.models import BurgessMixedVAE, KimMixedVAE, LatentModel
from disvae.spec import build, describe

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_code_has_a_number_for_each_variable_and_columns_a_block() -> None:
    model = small_mixed(2, (3, 2))
    assert (model.latent_dim, model.columns, model.discrete) == (4, 7, (2, 3))
    output = model(X)
    assert output.z.shape == (6, 7)
    assert model.represent(X).shape == output.posterior.batch_shape == (6, 4)
    assert model.prior.batch_shape == (4,)


def test_the_representation_is_the_means_and_the_most_probable_categories() -> None:
    model = small_mixed(2, (3, 2))
    outputs = model.encoder(X)
    mean, logits = outputs[:, :2], outputs[:, 4:]
    codes = model.represent(X)
    torch.testing.assert_close(codes[:, :2], mean)
    assert torch.equal(codes[:, 2], logits[:, :3].argmax(1).float())
    assert torch.equal(codes[:, 3], logits[:, 3:].argmax(1).float())


def test_codes_and_their_columns_decode_to_the_same_images() -> None:
    model = small_mixed(1, (3,))
    for category in range(3):
        block = [float(k == category) for k in range(3)]
        by_code = model.decode(torch.tensor([[0.5, float(category)]]))
        by_columns = model.decode(torch.tensor([[0.5, *block]]))
        assert torch.equal(by_code, by_columns)
    with pytest.raises(ValueError, match="2 dimensions or 4 columns"):
        model.decode(torch.zeros(1, 3))


def test_the_kl_is_that_of_both_kinds() -> None:
    model = small_mixed(2, (3, 2))
    outputs = model.encoder(X).double()
    mean, log_var = outputs[:, :2], outputs[:, 2:4]
    normal = 0.5 * (mean.square() + log_var.exp() - 1 - log_var)
    kl = kl_per_dimension(model.encode(X), model.prior).double()
    torch.testing.assert_close(kl[:, :2], normal, atol=1e-5, rtol=1e-5)
    for k, block in enumerate(outputs[:, 4:].split([3, 2], 1)):
        p = block.softmax(1)
        entropy = -(p * p.log()).sum(1)
        expected = math.log(block.shape[1]) - entropy
        torch.testing.assert_close(kl[:, 2 + k], expected, atol=1e-5, rtol=1e-5)


def test_draws_from_the_prior_are_codes_of_the_seed() -> None:
    model = small_mixed(2, (3, 2))
    first, again = (model.draw(2000, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    shares = first[:, 2].long().bincount(minlength=3) / 2000
    assert (shares - 1 / 3).abs().max() < 0.05
    assert first[:, 0].std().item() == pytest.approx(1, abs=0.1)
    assert model.sample(5, torch.Generator().manual_seed(3)).shape == (5, 1, 8, 8)


def test_categories_alone_are_a_code_too() -> None:
    model = small_mixed(0, (4,))
    assert model(X).z.sum(1).allclose(torch.ones(6))
    assert model.reconstruct(X).shape == X.shape


def test_the_gradient_reaches_the_logits_through_the_draw() -> None:
    model = small_mixed(0, (3,))
    model.decode(model.encode(X).rsample()).sum().backward()
    gradient = model.encoder[1].weight.grad
    assert gradient is not None
    assert gradient.any()


@pytest.mark.parametrize(
    ("n_continuous", "categories", "temperature", "message"),
    [
        (-1, (3,), 0.5, "at least 1 dimension"),
        (0, (), 0.5, "at least 1 dimension"),
        (2, (3, 1), 0.5, "at least 2 categories"),
        (2, (3,), 0.0, "temperature must be positive"),
    ],
)
@pytest.mark.parametrize("network", [BurgessMixedVAE, KimMixedVAE])
def test_what_is_no_code_is_refused(
    network, n_continuous, categories, temperature, message
) -> None:
    with pytest.raises(ValueError, match=message):
        network((1, 32, 32), n_continuous, categories, temperature=temperature)


def test_an_encoder_of_another_width_is_refused() -> None:
    model = small_mixed(2, (3, 2))
    model.encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8))
    with pytest.raises(ValueError, match=r"expected|must give .* = \(6, 9\)"):
        model.encode(X)


@pytest.mark.parametrize("network", [BurgessMixedVAE, KimMixedVAE])
def test_a_description_builds_the_same(network) -> None:
    model = network((1, 32, 32), n_continuous=2, categories=(3, 2))
    same = build(describe(model), LatentModel)
    same.load_state_dict(model.state_dict())
    x = torch.rand(2, 1, 32, 32)
    assert torch.equal(same.represent(x), model.represent(x))


def test_factor_vae_trains_on_it_and_goes_on_bit_for_bit(tmp_path) -> None:
    class Images:
        def batch(self, step: int) -> torch.Tensor:
            return torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(step))

    def trained(run: str, *steps: int) -> torch.Tensor:
        torch.manual_seed(0)
        model = small_mixed()
        criterion = FactorVAELoss(model.columns)
        for n in steps:
            trainer = Trainer(
                model, criterion, accelerator="cpu", run_dir=tmp_path / run, progress=False
            )
            trainer.fit(Images(), n)
        return torch.nn.utils.parameters_to_vector(model.parameters())

    assert torch.equal(trained("once", 4), trained("twice", 2, 4))
