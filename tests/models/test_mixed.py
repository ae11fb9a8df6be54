"""The mixed VAE: codes and columns, its posterior, and what it is refused for."""

import pytest
import torch
from small import networks, small_mixed
from torch.distributions import Normal

from disvae.losses import VAELoss
from disvae.models import BurgessMixedVAE, KimMixedVAE, LatentModel, MixedVAE
from disvae.spec import build, describe

each = pytest.mark.parametrize("network", [BurgessMixedVAE, KimMixedVAE])


def test_dimensions_and_columns() -> None:
    model = small_mixed(n_continuous=2, categories=(3, 2))
    assert (model.latent_dim, model.columns, model.discrete) == (4, 7, (2, 3))
    assert model.sizes == model.prior.sizes == (1, 1, 3, 2)
    x = torch.rand(5, 1, 8, 8)
    output = model(x)
    assert output.posterior.batch_shape == (5, 4)
    assert output.z.shape == (5, 7)
    assert model.represent(x).shape == (5, 4)


def test_the_encoder_gives_means_log_variances_and_logits() -> None:
    model, x = small_mixed(), torch.rand(6, 1, 8, 8)
    numbers = model.encoder(x)
    q = model.encode(x)
    assert torch.equal(q.continuous.loc, numbers[:, :2])
    torch.testing.assert_close(q.continuous.variance.log(), numbers[:, 2:4])
    torch.testing.assert_close(q.logits[0], numbers[:, 4:7].log_softmax(1))
    torch.testing.assert_close(q.logits[1], numbers[:, 7:].log_softmax(1))
    assert torch.equal(model.represent(x)[:, 2], numbers[:, 4:7].argmax(1).float())


def test_codes_and_columns_decode_to_the_same() -> None:
    model = small_mixed()
    codes = torch.tensor([[0.3, -1.0, 2.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    columns = torch.tensor([[0.3, -1.0, 0, 0, 1, 0, 1], [1.0, 0, 1, 0, 0, 1, 0]])
    assert torch.equal(model.decode(codes), model.decoder(columns))
    assert torch.equal(model.decode(codes), model.decode(columns))
    with pytest.raises(ValueError, match=r"codes of 4 dimensions or 7 columns, got shape \(2, 5\)"):
        model.decode(torch.zeros(2, 5))


def test_codes_of_the_prior() -> None:
    model = small_mixed()
    z = model.draw(20_000, torch.Generator().manual_seed(0))
    assert z.shape == (20_000, 4)
    assert z[:, :2].mean(0).abs().max() < 0.03
    assert (z[:, :2].std(0) - 1).abs().max() < 0.03
    for j, n in ((2, 3), (3, 2)):
        shares = torch.bincount(z[:, j].long(), minlength=n) / 20_000
        assert (shares - 1 / n).abs().max() < 0.02
    assert model.sample(3).shape == (3, 1, 8, 8)


def test_only_categories_and_no_category() -> None:
    only, none = small_mixed(0, (3, 2)), small_mixed(2, ())
    x = torch.rand(4, 1, 8, 8)
    assert only(x).z.shape == (4, 5)
    assert only.discrete == (0, 1)
    assert none.discrete == ()
    q = none.encode(x)
    expected = Normal(q.continuous.loc, q.continuous.scale).log_prob(z := none(x).z)
    torch.testing.assert_close(q.log_prob(z), expected)
    for model in (only, none):
        VAELoss()(model, x).loss.backward()


def test_the_gradient_reaches_the_logits_of_a_drawn_category() -> None:
    model, x = small_mixed(0, (3,)), torch.rand(8, 1, 8, 8)
    output = model(x)
    model.likelihood.nll(output.parameters, x).mean().backward()
    assert model.encoder[1].weight.grad.abs().sum() > 0


@each
def test_networks(network) -> None:
    model = network((1, 32, 32), n_continuous=2, categories=(3, 4))
    x = torch.rand(3, 1, 32, 32)
    assert model(x).parameters.shape == x.shape
    VAELoss()(model, x).loss.backward()
    assert all(p.grad is not None for p in model.parameters())


@each
def test_description_builds_the_same_network(network) -> None:
    model, x = network((1, 16, 16), 1, (3,), temperature=0.5).eval(), torch.rand(4, 1, 16, 16)
    made = build(describe(model), LatentModel)
    assert describe(made) == describe(model)
    made.load_state_dict(model.state_dict())
    assert torch.equal(made.eval().represent(x), model.represent(x))
    assert made.encode(x).temperature == 0.5


def test_saved_and_loaded(tmp_path) -> None:
    model, x = BurgessMixedVAE((1, 16, 16), 2, (3,)).eval(), torch.rand(4, 1, 16, 16)
    same = LatentModel.from_pretrained(model.save_pretrained(tmp_path))
    assert torch.equal(same.represent(x), model.represent(x))
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "hold the number of a category: 2 (3 categories)" in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_continuous": 0, "categories": ()}, "at least 1 dimension"),
        ({"n_continuous": -1, "categories": (3,)}, "at least 1 dimension"),
        ({"n_continuous": 2, "categories": (3, 1)}, r"at least 2 categories each, got \(3, 1\)"),
        ({"n_continuous": 2, "temperature": 0.0}, "temperature must be positive"),
    ],
)
@pytest.mark.parametrize("network", [BurgessMixedVAE, KimMixedVAE, None])
def test_bad_arguments(network, arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        network((1, 32, 32), **arguments) if network else MixedVAE(*networks(7, 5), **arguments)


def test_an_encoder_of_another_width() -> None:
    model = MixedVAE(*networks(8, 5), n_continuous=2)
    with pytest.raises(ValueError, match=r"Σ categories\) = \(3, 7\) numbers, got shape \(3, 8\)"):
        model(torch.rand(3, 1, 8, 8))
