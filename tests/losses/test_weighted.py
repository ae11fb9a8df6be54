"""The general loss against its definition, and the others as its presets."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disvae import (
    BetaTCVAELoss,
    BetaVAEBLoss,
    BetaVAEHLoss,
    FactorVAELoss,
    VAELoss,
)
from disvae.divergence import (
    BatchEstimate,
    MinibatchJackknife,
    MinibatchStratified,
    MinibatchWeighted,
    PermutedRatio,
    PriorRatio,
)
from disvae.losses import AAELoss, FactorVAEPriorLoss, WeightedLoss
from disvae.models import Discriminator
from disvae.schedules import Linear
from disvae.testing import small_vae

D, N, M = 4, 500, 12


def network():
    torch.manual_seed(7)
    return Discriminator(D, hidden_dim=16, n_hidden=2)


PRESETS = {
    "vae": (VAELoss, WeightedLoss),
    "beta_vae_h": (lambda: BetaVAEHLoss(4.0), lambda: WeightedLoss(alpha=4.0)),
    "beta_vae_b": (
        lambda: BetaVAEBLoss(10.0, Linear(0.0, 25.0, 10)),
        lambda: WeightedLoss(alpha=10.0, capacity=Linear(0.0, 25.0, 10)),
    ),
    "beta_tcvae": (
        lambda: BetaTCVAELoss(N, 0.5, 6.0, 2.0),
        lambda: WeightedLoss(0.5, 6.0, 2.0, estimator=MinibatchWeighted(N)),
    ),
    "factor_vae": (
        lambda: FactorVAELoss(D, 35.0, network()),
        lambda: WeightedLoss(beta=36.0, estimator=PermutedRatio(network())),
    ),
    "factor_vae_scheduled": (
        lambda: FactorVAELoss(D, Linear(0.0, 35.0, 10), network()),
        lambda: WeightedLoss(beta=Linear(1.0, 36.0, 10), estimator=PermutedRatio(network())),
    ),
    "factor_vae_prior": (
        lambda: FactorVAEPriorLoss(D, 35.0, network()),
        lambda: WeightedLoss(beta=36.0, estimator=PriorRatio(network())),
    ),
    "aae": (
        lambda: AAELoss(D, 3.0, network()),
        lambda: WeightedLoss(0.0, beta=3.0, estimator=PriorRatio(network())),
    ),
}


def run(criterion, model, x, step=4):
    model.zero_grad()
    torch.manual_seed(1)
    output = criterion.double()(model, x, step)
    output.loss.backward()
    return output, [p.grad.clone() for p in (*model.parameters(), *criterion.parameters())]


@pytest.fixture
def model_and_images():
    torch.manual_seed(0)
    return small_vae(D).double(), torch.rand(M, 1, 8, 8, dtype=torch.float64)


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name, model_and_images) -> None:
    (expected, gradients), (actual, same) = (
        run(make(), *model_and_images) for make in PRESETS[name]
    )
    assert actual.loss.item() == pytest.approx(expected.loss.item(), rel=1e-12)
    assert actual.terms.keys() == expected.terms.keys()
    for a, b in zip(gradients, same, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


ESTIMATORS = {
    "mws": MinibatchWeighted(N),
    "mss": MinibatchStratified(N),
    "jackknife": MinibatchJackknife(N),
    "batch": BatchEstimate(),
}


def definition(posterior, z, prior, estimator, alpha, beta, gamma, capacity):
    """The weighted terms, with densities from the formula of each pair of images."""
    log_q = Normal(posterior.loc, posterior.scale).log_prob(z[:, None])  # (i, j, d)
    log_joint = estimator.log_average(log_q.sum(-1))
    log_product = sum(estimator.log_average(log_q[..., d]) for d in range(D))
    total_correlation = (log_joint - log_product).mean()
    dimension_wise_kl = (log_product - prior.log_prob(z).sum(-1)).mean()
    kl = kl_divergence(posterior, prior).sum(-1).mean()
    return (
        alpha * (kl - capacity).abs()
        + (beta - alpha) * total_correlation
        + (gamma - alpha) * dimension_wise_kl
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_value_and_gradient_are_those_of_the_definition(name, model_and_images) -> None:
    model, x = model_and_images
    weights = (0.5, 6.0, 2.0)
    criterion = WeightedLoss(*weights, capacity=3.0, estimator=ESTIMATORS[name])
    output, actual = run(criterion, model, x)
    model.zero_grad()
    torch.manual_seed(1)
    posterior, z, parameters = model(x)
    penalty = definition(posterior, z, model.prior, ESTIMATORS[name], *weights, 3.0)
    loss = model.likelihood.nll(parameters, x).mean() + penalty
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), abs=1e-9)
    for a, p in zip(actual, model.parameters(), strict=True):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-6)


@pytest.mark.parametrize("estimator", [PermutedRatio, PriorRatio])
def test_gradient_of_density_ratios_is_that_of_the_definition(estimator, model_and_images) -> None:
    model, x = model_and_images
    criterion = WeightedLoss(0.5, beta=6.0, estimator=estimator(network()))
    _, actual = run(criterion, model, x)
    model.zero_grad()
    torch.manual_seed(1)
    posterior, z, parameters = model(x)
    joint, other = criterion.discriminator(z).unbind(1)
    kl = kl_divergence(posterior, model.prior).sum(-1).mean()
    penalty = 0.5 * kl + 5.5 * (joint - other).mean()
    (model.likelihood.nll(parameters, x).mean() + penalty).backward()
    for a, p in zip(actual, model.parameters(), strict=False):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "make", [lambda: WeightedLoss(beta=Linear(0.0, 8.0, 8)), lambda: WeightedLoss(gamma=2.0)]
)
def test_weights_that_differ_need_an_estimator(make) -> None:
    with pytest.raises(ValueError, match="need an estimator"):
        make()


def test_density_ratios_cannot_weigh_the_marginals() -> None:
    with pytest.raises(ValueError, match="leave out its weight gamma"):
        WeightedLoss(gamma=2.0, estimator=PermutedRatio(network()))


@pytest.mark.parametrize("weight", ["alpha", "beta", "gamma"])
def test_each_weight_of_beta_tcvae_may_be_annealed(weight, model_and_images) -> None:
    schedule = Linear(0.0, 8.0, steps=8)
    annealed, _ = run(BetaTCVAELoss(N, **{weight: schedule}), *model_and_images, step=4)
    constant, _ = run(BetaTCVAELoss(N, **{weight: 4.0}), *model_and_images)
    start, _ = run(BetaTCVAELoss(N, **{weight: schedule}), *model_and_images, step=0)
    assert annealed.loss.item() == pytest.approx(constant.loss.item(), rel=1e-12)
    assert start.loss.item() != pytest.approx(constant.loss.item(), rel=1e-6)


@pytest.mark.untyped
def test_pair_of_batches_is_for_adversarial_losses_alone(model_and_images) -> None:
    model, x = model_and_images
    with pytest.raises(TypeError, match="expected images"):
        VAELoss()(model, (x, x))


def test_shown_with_its_arguments() -> None:
    assert repr(BetaVAEHLoss(beta=3.0)) == "BetaVAEHLoss(beta=3.0)"
    assert "gamma=35.0, discriminator_lr=None" in repr(FactorVAELoss(D, 35.0, network()))
