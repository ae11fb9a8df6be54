"""FactorVAE: each player gets the gradient of its own loss and nothing of the other's."""

import pytest
import torch
from torch.nn import functional as F

from disvae import FactorVAELoss
from disvae.divergence import permute_dims
from disvae.models import Discriminator
from disvae.testing import small_vae

LATENT_DIM, GAMMA = 4, 35.0


@pytest.fixture
def players():
    model = small_vae(LATENT_DIM).double()
    criterion = FactorVAELoss(LATENT_DIM, GAMMA, Discriminator(LATENT_DIM, 32, 2)).double()
    return model, criterion, torch.rand(32, 1, 8, 8, dtype=torch.float64)


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters()}


def assert_equal_gradients(actual, expected):
    assert actual.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient, rtol=0, atol=1e-10, msg=name)


def test_model_gets_the_gradient_of_its_objective_alone(players) -> None:
    model, criterion, x = players
    torch.manual_seed(1)
    criterion(model, x, 0).loss.backward()
    actual = gradients(model)

    model.zero_grad()
    torch.manual_seed(1)
    posterior, z, logits = model(x)
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    log_var = 2 * posterior.scale.log()
    kl = 0.5 * (posterior.loc**2 + log_var.exp() - 1 - log_var).sum() / len(x)
    joint, permuted = criterion.discriminator(z).unbind(1)
    (reconstruction + kl + GAMMA * (joint - permuted).mean()).backward()
    assert_equal_gradients(actual, gradients(model))


def test_discriminator_gets_the_gradient_of_its_cross_entropy_alone(players) -> None:
    model, criterion, x = players
    torch.manual_seed(1)
    criterion(model, x, 0).loss.backward()
    actual = gradients(criterion.discriminator)

    criterion.zero_grad()
    torch.manual_seed(1)
    z = model(x).z.detach()
    permuted = permute_dims(z)
    log_p_joint = F.log_softmax(criterion.discriminator(z), 1)[:, 0]
    log_p_permuted = F.log_softmax(criterion.discriminator(permuted), 1)[:, 1]
    (-0.5 * (log_p_joint.mean() + log_p_permuted.mean())).backward()
    assert_equal_gradients(actual, gradients(criterion.discriminator))


def test_gradients_would_differ_with_a_leak(players) -> None:
    # The oracle of the two tests above can see the leak that it is there to exclude.
    model, criterion, x = players
    torch.manual_seed(1)
    z = model(x).z
    logits = criterion.discriminator(z)
    leak = F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long))
    leak.backward()
    assert max(g.abs().max() for g in gradients(model.encoder).values()) > 1e-6


def test_second_batch_gives_the_permuted_codes(players) -> None:
    # Algorithm 2: codes of one batch against permuted codes of another.
    model, criterion, x = players
    other = torch.rand(20, 1, 8, 8, dtype=torch.float64)
    torch.manual_seed(1)
    output = criterion(model, (x, other), 0)
    torch.manual_seed(1)
    z = model(x).z
    permuted = permute_dims(model.encode(other).sample())
    logits = criterion.discriminator(torch.cat([z, permuted]))
    expected = F.cross_entropy(logits, torch.tensor([0] * 32 + [1] * 20))
    assert output.terms["discriminator"] == pytest.approx(expected.item(), abs=1e-12)


def test_one_batch_or_two_give_the_same_expected_gradient() -> None:
    # The claim of the docstring, on fixed codes: the mean difference over many draws is within
    # its standard error, and the one-batch gradient is the less noisy one.
    torch.manual_seed(0)
    discriminator = Discriminator(2, 16, 1).double()
    mixing = torch.tensor([[1.0, 0.8], [0.0, 0.6]], dtype=torch.float64)

    def gradient(joint, permuted):
        logits = discriminator(torch.cat([joint, permuted]))
        labels = torch.tensor([0] * len(joint) + [1] * len(permuted))
        weight = discriminator[-1].weight
        return torch.autograd.grad(F.cross_entropy(logits, labels), weight)[0].flatten()

    one, two = [], []
    for _ in range(1500):
        z, other = torch.randn(2, 64, 2, dtype=torch.float64) @ mixing
        one.append(gradient(z, permute_dims(z)))
        two.append(gradient(z, permute_dims(other)))
    one, two = torch.stack(one), torch.stack(two)
    difference = one - two
    error = difference.std(0) / len(difference) ** 0.5
    assert (difference.mean(0).abs() < 4.5 * error).all()
    assert one.var(0).sum() < 0.8 * two.var(0).sum()


def test_batch_of_one_is_refused(players) -> None:
    model, criterion, x = players
    with pytest.raises(ValueError, match="at least 2 codes"):
        criterion(model, x[:1], 0)


def test_one_optimiser_steps_both_players(players) -> None:
    model, criterion, x = players
    groups = criterion.parameter_groups(model, lr=1e-3)
    assert groups[1]["betas"] == (0.5, 0.9)
    assert groups[1]["lr"] == 1e-3
    slow = FactorVAELoss(LATENT_DIM, discriminator_lr=1e-5).parameter_groups(model, lr=1e-3)
    assert (slow[0]["lr"], slow[1]["lr"]) == (1e-3, 1e-5)
    before = {k: v.clone() for m in (model, criterion) for k, v in m.named_parameters()}
    optimizer = torch.optim.Adam(groups)
    criterion(model, x, 0).loss.backward()
    optimizer.step()
    for module in (model, criterion):
        for name, parameter in module.named_parameters():
            assert not torch.equal(parameter, before[name]), name


def test_codes_of_another_dimension_are_said(players) -> None:
    model, _, x = players
    with pytest.raises(ValueError, match=r"latent_dim=7 got codes of \d+ dimensions"):
        FactorVAELoss(latent_dim=7).double()(model, x)
