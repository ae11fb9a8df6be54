"""Reporting changes nothing of a loss but its terms, and these are the estimator's."""

import pytest
import torch

from disvae import BetaTCVAELoss, FactorVAELoss, Loss, VAELoss
from disvae.divergence import MinibatchJackknife, MinibatchStratified, decompose
from disvae.losses import AAELoss, Decomposed, DIPVAELoss, HFSLoss, InfoVAELoss, LossOutput
from disvae.models import Discriminator
from disvae.testing import small_vae

D, N = 4, 1000
NAMES = ("mutual_information", "total_correlation", "dimension_wise_kl")


def network():
    torch.manual_seed(7)
    return Discriminator(D, hidden_dim=16, n_hidden=2)


LOSSES = {
    "vae": VAELoss,
    "factor_vae": lambda: FactorVAELoss(D, 35.0, network()),
    "beta_tcvae": lambda: BetaTCVAELoss(N),
    "dip_vae": DIPVAELoss,
    "info_vae": InfoVAELoss,
    "hfs": HFSLoss,
    "aae": lambda: AAELoss(D, 1.0, network()),
}


@pytest.fixture
def model_and_images():
    torch.manual_seed(0)
    return small_vae(D), torch.rand(12, 1, 8, 8)


def run(criterion, model, x, step):
    model.zero_grad()
    torch.manual_seed(1)
    output = criterion(model, x, step)
    state = torch.random.get_rng_state()
    output.loss.backward()
    return output, [p.grad.clone() for p in model.parameters()], state


@pytest.mark.parametrize("name", LOSSES)
def test_same_loss_and_the_estimators_terms(name, model_and_images) -> None:
    model, x = model_and_images
    plain, gradients, state = run(LOSSES[name](), model, x, 100)
    wrapped = Decomposed(LOSSES[name](), MinibatchJackknife(N), every=50)
    output, same, state_after = run(wrapped, model, x, 100)
    assert torch.equal(output.loss, plain.loss)
    assert torch.equal(state, state_after)  # no draw of its own: training goes on the same
    assert all(torch.equal(a, b) for a, b in zip(gradients, same, strict=True))
    torch.manual_seed(1)
    posterior, z, _ = model(x)
    expected = decompose(posterior, z, N, "jackknife")._asdict()
    for term in NAMES:
        torch.testing.assert_close(output.terms[term], expected[term].detach())
        assert not output.terms[term].requires_grad
        if term in plain.terms:
            assert torch.equal(output.terms[f"{term}_in_loss"], plain.terms[term])
    unchanged = plain.terms.keys() - set(NAMES)
    assert all(torch.equal(output.terms[term], plain.terms[term]) for term in unchanged)


def test_between_two_estimates_only_names_change(model_and_images) -> None:
    wrapped = Decomposed(LOSSES["factor_vae"](), MinibatchStratified(N), every=50)
    for step in (101, torch.tensor(150)):  # a tensor's value is not known while it is recorded
        between, _, _ = run(wrapped, *model_and_images, step=step)
        assert set(between.terms) == {
            "objective",
            "reconstruction",
            "kl",
            "total_correlation_in_loss",
            "discriminator",
        }
    for step in (0, 150, None):
        assert set(NAMES) <= run(wrapped, *model_and_images, step=step)[0].terms.keys()


def test_pair_of_batches_reports_the_first(model_and_images) -> None:
    model, x = model_and_images
    wrapped = Decomposed(LOSSES["factor_vae"](), MinibatchJackknife(N))
    torch.manual_seed(1)
    pair = wrapped(model, (x, x.flip(0)), 0)
    torch.manual_seed(1)
    single = wrapped(model, x, 0)
    assert pair.terms["total_correlation"] == single.terms["total_correlation"]


def test_groups_are_those_of_the_loss() -> None:
    criterion = LOSSES["factor_vae"]()
    groups = Decomposed(criterion, MinibatchJackknife(N)).parameter_groups(small_vae(D), 1e-3)
    assert groups[1]["betas"] == (0.5, 0.9)
    assert {id(p) for p in groups[1]["params"]} == {id(p) for p in criterion.parameters()}


class EncodesPairs(Loss):
    """Never calls the model, but its encoder, with all images at once."""

    def forward(self, model, batch, step=None):
        codes = model.encode(torch.cat(batch)).rsample()
        loss = model.decode(codes).square().mean() * model.latent_dim
        kl = torch.tensor(-1.0)
        return LossOutput(loss, {"objective": loss.detach(), "kl": kl})


class Decodes(Loss):
    """Never encodes an image."""

    def forward(self, model, batch, step=None):
        loss = model.decode(torch.zeros(1, model.latent_dim)).square().mean()
        return LossOutput(loss, {"objective": loss.detach()})


def test_loss_that_encodes_pairs_reports_the_terms_of_the_first_images(model_and_images) -> None:
    model, x = model_and_images
    other = torch.rand(12, 1, 8, 8)
    plain, gradients, state = run(EncodesPairs(), model, (x, other), 0)
    estimator = MinibatchJackknife(N)
    found, same, state_after = run(Decomposed(EncodesPairs(), estimator), model, (x, other), 0)
    assert torch.equal(found.loss, plain.loss)
    assert torch.equal(state, state_after)
    assert all(torch.equal(a, b) for a, b in zip(gradients, same, strict=True))
    assert found.terms["kl"] == -1  # the loss's own
    posterior = model.encode(x)
    z = posterior.loc + posterior.scale * torch.randn(12, D, generator=seeded(1))
    for name, term in estimator(posterior, z, model.prior)._asdict().items():
        torch.testing.assert_close(found.terms[name], term.detach())


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_refuses(model_and_images) -> None:
    with pytest.raises(ValueError, match="every must be at least 1"):
        Decomposed(VAELoss(), MinibatchJackknife(N), every=0)
    with pytest.raises(ValueError, match="never encoded an image"):
        Decomposed(Decodes(), MinibatchJackknife(N))(*model_and_images)
