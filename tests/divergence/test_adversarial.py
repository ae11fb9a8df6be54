"""Estimators with an opponent: who gets which gradient, and what they estimate."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from disvae.divergence import PermutedRatio, PriorRatio
from disvae.divergence.one_pass import is_row_by_row
from disvae.models import Discriminator

D = 3
PRIOR = Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64))
ESTIMATORS = [PermutedRatio, PriorRatio]


def posterior(z):
    return Normal(z, torch.ones_like(z))


def make(cls):
    torch.manual_seed(0)
    return cls(Discriminator(D, hidden_dim=8, n_hidden=1).double())


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_estimate_reaches_the_codes_alone(cls) -> None:
    estimator = make(cls)
    z = torch.randn(10, D, dtype=torch.float64, requires_grad=True)
    (value,) = estimator(posterior(z), z, PRIOR)
    value.backward()
    expected = torch.autograd.grad(
        (estimator.discriminator(z)[:, 0] - estimator.discriminator(z)[:, 1]).mean(), z
    )[0]
    torch.testing.assert_close(z.grad, expected)
    assert all(p.grad is None for p in estimator.parameters())


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_opponent_reaches_the_discriminator_alone(cls) -> None:
    estimator = make(cls)
    z = torch.randn(10, D, dtype=torch.float64, requires_grad=True)
    estimator.opponent_loss(z, PRIOR).backward()
    assert z.grad is None
    assert all(p.grad is not None for p in estimator.parameters())


def test_references() -> None:
    z = torch.randn(500, D, dtype=torch.float64) * 3 + 1
    permuted = make(PermutedRatio).reference(z, PRIOR)
    assert torch.equal(permuted.sort(0).values, z.sort(0).values)
    drawn = make(PriorRatio).reference(z, PRIOR)
    assert drawn.shape == z.shape
    assert drawn.mean().item() == pytest.approx(0.0, abs=0.1)
    assert drawn.std().item() == pytest.approx(1.0, abs=0.1)


def test_true_ratio_to_the_prior_is_the_kl() -> None:
    mean, std = 0.7, 0.5

    class Truth(nn.Module):
        def forward(self, z):
            log_ratio = Normal(mean, std).log_prob(z).sum(1) - Normal(0.0, 1.0).log_prob(z).sum(1)
            return torch.stack([log_ratio, torch.zeros_like(log_ratio)], dim=1)

    torch.manual_seed(0)
    z = mean + std * torch.randn(200_000, D, dtype=torch.float64)
    closed_form = D * (0.5 * (std**2 + mean**2 - 1) - math.log(std))
    value = PriorRatio(Truth())(posterior(z), z, PRIOR).aggregate_kl
    assert value.item() == pytest.approx(closed_form, abs=0.02)


def test_normalisation_and_dropout_are_still_while_frozen() -> None:
    layers = [nn.Linear(D, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)]
    estimator = PermutedRatio(nn.Sequential(*layers).double())
    z = torch.randn(10, D, dtype=torch.float64)
    before = [buffer.clone() for buffer in estimator.buffers()]
    first, second = (estimator.log_ratio(z) for _ in range(2))
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(before, estimator.buffers(), strict=True))
    assert estimator.discriminator.training
    estimator.opponent_loss(z, PRIOR)  # where they do move
    assert not all(torch.equal(a, b) for a, b in zip(before, estimator.buffers(), strict=True))


def test_one_code_cannot_be_permuted() -> None:
    with pytest.raises(ValueError, match="at least 2 codes, got 1"):
        make(PermutedRatio).opponent_loss(torch.zeros(1, D, dtype=torch.float64), PRIOR)


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("settings", [{}, {"normalization": "layer"}, {"normalization": "batch"}])
@pytest.mark.parametrize("other", [None, torch.randn(7, D, dtype=torch.float64)])
def test_one_pass_gives_what_two_give(cls, settings, other) -> None:
    estimator = cls(Discriminator(D, hidden_dim=8, n_hidden=2, **settings).double())
    z = torch.randn(10, D, dtype=torch.float64, requires_grad=True)
    fresh = copy.deepcopy(estimator.state_dict())
    passes = []
    estimator.discriminator.register_forward_hook(lambda *call: passes.append(call))

    def gradients(log_ratio, opponent):
        parameters = list(estimator.parameters())
        return torch.autograd.grad(5 * log_ratio + opponent, [z, *parameters])

    torch.manual_seed(1)
    apart = estimator.log_ratio(z), estimator.opponent_loss(z, PRIOR, other)
    gradients_apart = gradients(*apart)
    n_apart = len(passes)
    estimator.load_state_dict(fresh)  # batch normalisation has moved
    torch.manual_seed(1)
    both = estimator.both(z, PRIOR, other)
    assert len(passes) - n_apart == (2 if settings.get("normalization") == "batch" else 1)
    torch.testing.assert_close(both, apart)
    torch.testing.assert_close(gradients(*both), gradients_apart)


def test_without_gradients_there_are_two_passes() -> None:
    estimator = make(PermutedRatio)
    z = torch.randn(10, D, dtype=torch.float64)
    with torch.no_grad():
        ratio, _ = estimator.both(z, PRIOR)
    torch.testing.assert_close(ratio, estimator.log_ratio(z).detach())


def test_what_a_module_of_its_own_does_while_training_is_not_guessed_at() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, z):
            return nn.functional.dropout(self.layer(z), training=self.training)

    assert not is_row_by_row(Own())
    assert is_row_by_row(Discriminator(2, 4, 1))
