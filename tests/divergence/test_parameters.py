"""What is made of distributions of codes: draws, parts, and the prior that fits them."""

import pytest
import torch
from torch.distributions import Normal, Uniform, kl_divergence

from disvae.divergence import MixedDistribution, draw, map_parameters, sizes_of, standard_prior
from disvae.divergence.parameters import join, parameters_of


def mixed(batch: int = 5, continuous: type = Normal) -> MixedDistribution:
    a, b = torch.randn(batch, 2), torch.rand(batch, 2) + 0.5
    part = Normal(a, b) if continuous is Normal else Uniform(a, a + b)
    return MixedDistribution(part, [torch.randn(batch, 3), torch.randn(batch, 4)], 0.3)


def test_columns_of_each_variable() -> None:
    assert sizes_of(mixed()) == (1, 1, 3, 4)
    assert sizes_of(mixed().continuous) == (1, 1)


@pytest.mark.parametrize("kind", [Normal, Uniform])
def test_draws_follow_the_distribution(kind) -> None:
    q = mixed(batch=3, continuous=kind)
    z = draw(q, 20_000, torch.Generator().manual_seed(0))
    assert z.shape == (20_000, 3, 9)
    mean, variance = q.continuous.mean, q.continuous.variance
    error = (variance / 20_000).sqrt()
    assert ((z[..., :2].mean(0) - mean).abs() < 4.5 * error).all()
    torch.testing.assert_close(z[..., :2].var(0), variance, rtol=0.05, atol=0)
    for block, logits in zip(z[..., 2:].split([3, 4], -1), q.logits, strict=True):
        assert (block.sum(-1) == 1).all()
        error = (logits.exp() * (1 - logits.exp()) / 20_000).sqrt()
        assert ((block.mean(0) - logits.exp()).abs() < 4.5 * error).all()


def test_the_generator_is_the_only_source_of_draws() -> None:
    q = mixed()
    before = torch.get_rng_state()
    first = draw(q, 2, torch.Generator().manual_seed(3))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, draw(q, 2, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, draw(q, 2, torch.Generator().manual_seed(4)))
    torch.manual_seed(3)
    assert torch.equal(first, draw(q, 2))


def test_draws_of_a_normal_are_those_of_its_noise() -> None:
    """The runs of earlier versions stay what they were."""
    q = Normal(torch.randn(5, 3), torch.rand(5, 3) + 0.1)
    noise = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))
    expected = q.loc + q.scale * noise
    assert torch.equal(draw(q, 2, torch.Generator().manual_seed(1)), expected)


def test_draws_have_no_gradient_and_keep_their_type() -> None:
    for change in (torch.Tensor.double, torch.Tensor.bfloat16):
        q = map_parameters(lambda p, change=change: change(p).requires_grad_(), mixed())
        z = draw(q, 4)
        assert not z.requires_grad
        assert z.dtype == change(torch.ones(1)).dtype
        assert z.isfinite().all()


@pytest.mark.parametrize("kind", [Normal, Uniform])
def test_parameters_of_all_kinds_can_be_changed(kind) -> None:
    q = mixed(continuous=kind)
    some = map_parameters(lambda parameter: parameter[[4, 1]], q)
    assert type(some.continuous) is kind
    assert some.temperature == 0.3
    z = q.rsample()
    torch.testing.assert_close(some.log_prob(z[[4, 1]]), q.log_prob(z)[[4, 1]])


def test_two_distributions_of_one_kind_become_one() -> None:
    a, b = mixed(2), mixed(3)
    both = join([a, b])
    z = torch.cat([a.rsample(), b.rsample()])
    expected = torch.cat([a.log_prob(z[:2]), b.log_prob(z[2:])])
    torch.testing.assert_close(both.log_prob(z), expected)
    assert join([map_parameters(torch.Tensor.double, a)]).logits[0].dtype == torch.float32


def test_parameters_by_name() -> None:
    q = mixed()
    assert list(parameters_of(q)) == ["loc", "scale", "logits_2", "logits_3"]
    assert parameters_of(q)["logits_3"] is q.logits[1]


def test_the_standard_prior_has_the_same_variables() -> None:
    p = standard_prior(mixed())
    assert p.batch_shape == (4,)
    assert p.continuous.loc.tolist() == [0, 0]
    assert p.continuous.scale.tolist() == [1, 1]
    assert [block.exp().tolist() for block in p.logits] == [pytest.approx([1 / 3] * 3), [0.25] * 4]
    assert kl_divergence(mixed(), p).shape == (5, 4)
    assert standard_prior(mixed().continuous).loc.tolist() == [0, 0]
