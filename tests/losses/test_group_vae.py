"""Posteriors of groups against densities and loops, and the losses against what they come to."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from disvae import BetaVAEHLoss, VAELoss
from disvae.losses import AdaGVAELoss, AdaMLVAELoss, GVAELoss, MLVAELoss
from disvae.losses.group_posterior import (
    LastDimensions,
    gaussian_product,
    moment_average,
    share,
    similar_dimensions,
)
from disvae.testing import small_vae

D = 4


def posteriors(n, batch, dims=D, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mean, log_std = torch.randn(2, n, batch, dims, generator=generator, dtype=torch.float64)
    return Normal(mean, log_std.exp())


def model_and_images(n, batch=6):
    torch.manual_seed(0)
    return small_vae(D).double(), torch.rand(n, batch, 1, 8, 8, dtype=torch.float64)


def run(criterion, model, batch, seed=1):
    """Its output and its gradient, with this noise."""
    model.zero_grad()
    torch.manual_seed(seed)
    output = criterion(model, batch, 0)
    output.loss.backward()
    return output, torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("n", [2, 3, 5])
def test_product_is_that_of_the_densities_on_a_grid(n) -> None:
    q = posteriors(n, 3)
    product = gaussian_product(q)
    grid = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    for i in range(3):
        log_density = sum(Normal(q.loc[k, i, 0], q.scale[k, i, 0]).log_prob(grid) for k in range(n))
        weight = (log_density - log_density.max()).exp()
        weight = weight / weight.sum()
        mean = (weight * grid).sum()
        variance = (weight * (grid - mean) ** 2).sum()
        assert product.mean[i, 0].item() == pytest.approx(mean.item(), abs=1e-9)
        assert product.variance[i, 0].item() == pytest.approx(variance.item(), rel=1e-7)


@pytest.mark.parametrize("log_var", [-180.0, 80.0])
def test_product_of_extremes_is_finite(log_var) -> None:
    mean = torch.tensor([[[1.0]], [[3.0]]])
    std = torch.full_like(mean, 0.5 * log_var).exp()
    joint = gaussian_product(Normal(mean, std))
    assert joint.mean.item() == pytest.approx(2.0)
    assert joint.stddev.item() == pytest.approx(std[0].item() / math.sqrt(2))


def test_average_is_that_of_the_moments() -> None:
    q = posteriors(3, 2)
    average = moment_average(q)
    for i in range(2):
        for j in range(D):
            means = [q.loc[k, i, j].item() for k in range(3)]
            variances = [q.scale[k, i, j].item() ** 2 for k in range(3)]
            assert average.mean[i, j].item() == pytest.approx(sum(means) / 3)
            assert average.variance[i, j].item() == pytest.approx(sum(variances) / 3)


@given(st.integers(2, 6), st.integers(0, 1000))
def test_equal_posteriors_keep_their_means_and_only_a_product_is_narrower(n, seed) -> None:
    one = posteriors(1, 2, seed=seed)
    q = Normal(one.loc.repeat(n, 1, 1), one.scale.repeat(n, 1, 1))
    for average, factor in ((moment_average, 1.0), (gaussian_product, 1 / math.sqrt(n))):
        joint = average(q)
        torch.testing.assert_close(joint.loc, one.loc[0])
        torch.testing.assert_close(joint.scale, factor * one.scale[0])


@given(st.integers(2, 5), st.integers(0, 1000))
def test_order_of_a_group_does_not_matter(n, seed) -> None:
    q = posteriors(n, 3, seed=seed)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    turned = Normal(q.loc[order], q.scale[order])
    for average in (moment_average, gaussian_product):
        torch.testing.assert_close(average(turned).loc, average(q).loc)
        torch.testing.assert_close(average(turned).scale, average(q).scale)


def shared_by_loop(q):
    """Which dimensions each pair shares, by the definition."""
    rows = []
    for i in range(q.loc.shape[1]):
        first, second = (Normal(q.loc[k, i], q.scale[k, i]) for k in range(2))
        delta = (kl_divergence(first, second) + kl_divergence(second, first)).tolist()
        threshold = (min(delta) + max(delta)) / 2
        rows.append([d < threshold for d in delta])
    return rows


@given(st.integers(1, 7), st.integers(0, 1000))
def test_shared_dimensions_are_those_of_the_definition(dims, seed) -> None:
    q = posteriors(2, 5, dims, seed)
    shared, terms = similar_dimensions(q)
    expected = shared_by_loop(q)
    assert shared.tolist() == expected
    mean = sum(map(sum, expected)) / 5
    assert terms["shared_dimensions"].item() == pytest.approx(mean)
    flipped, _ = similar_dimensions(Normal(q.loc.flip(0), q.scale.flip(0)))
    assert torch.equal(flipped, shared)


def test_dimensions_that_are_not_shared_stay_what_they_are() -> None:
    q = posteriors(3, 5)
    joint, terms = share(q, gaussian_product, LastDimensions(1))
    assert torch.equal(joint.loc[..., :-1], q.loc[..., :-1])
    assert torch.equal(joint.scale[..., :-1], q.scale[..., :-1])
    for k in range(3):
        torch.testing.assert_close(joint.loc[k, :, -1], gaussian_product(q).loc[:, -1])
        torch.testing.assert_close(joint.scale[k, :, -1], gaussian_product(q).scale[:, -1])
    assert terms == {}


@pytest.mark.parametrize("criterion", [GVAELoss(2, beta=3.0), AdaGVAELoss(beta=3.0)])
def test_gvae_of_equal_images_is_the_beta_vae_of_all(criterion) -> None:
    model, (x, _) = model_and_images(2)
    output, gradient = run(criterion, model, (x, x))
    expected, its_gradient = run(BetaVAEHLoss(beta=3.0), model, torch.cat([x, x]))
    for name in ("objective", "reconstruction", "kl"):
        assert output.terms[name].item() == pytest.approx(expected.terms[name].item(), rel=1e-12)
    torch.testing.assert_close(gradient, its_gradient, rtol=1e-9, atol=1e-11)


def test_ada_vaes_of_pairs_that_share_nothing_are_the_vae_of_all() -> None:
    """With one dimension, or with the same distance in all, none is closer than halfway."""
    torch.manual_seed(0)
    model, pair = small_vae(1).double(), torch.rand(2, 6, 1, 8, 8, dtype=torch.float64)
    for criterion in (AdaGVAELoss(), AdaMLVAELoss()):
        output, gradient = run(criterion, model, tuple(pair))
        expected, its_gradient = run(VAELoss(), model, pair.flatten(0, 1))
        assert output.terms["shared_dimensions"] == 0
        assert torch.equal(output.loss, expected.loss)
        assert torch.equal(gradient, its_gradient)


AVERAGES = {GVAELoss: moment_average, MLVAELoss: gaussian_product}
AVERAGES |= {AdaGVAELoss: moment_average, AdaMLVAELoss: gaussian_product}


@pytest.mark.parametrize("cls", AVERAGES)
def test_loss_and_gradient_are_those_of_the_definition(cls) -> None:
    known = cls in (GVAELoss, MLVAELoss)
    n = 3 if known else 2
    model, batch = model_and_images(n)
    criterion = cls(2, beta=0.7) if known else cls(beta=0.7)
    output, gradient = run(criterion, model, tuple(batch))
    model.zero_grad()
    torch.manual_seed(1)
    noise = torch.randn(n * 6, D, dtype=torch.float64).view(n, 6, D)
    each = [model.encode(x) for x in batch]
    q = Normal(torch.stack([e.loc for e in each]), torch.stack([e.scale for e in each]))
    shared = [[False, False, True, True]] * 6 if known else shared_by_loop(q)
    joint = AVERAGES[cls](q)
    total = 0.0
    for k in range(n):
        for i in range(6):
            pick = [(joint if shared[i][j] else each[k], i, j) for j in range(D)]
            mean = torch.stack([p.loc[i, j] for p, i, j in pick])
            std = torch.stack([p.scale[i, j] for p, i, j in pick])
            z = (mean + std * noise[k, i])[None]
            nll = model.likelihood.nll(model.decode(z), batch[k, i][None])[0]
            total = total + nll + 0.7 * kl_divergence(Normal(mean, std), model.prior).sum()
    loss = total / (n * 6)
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-12)
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("criterion", [AdaGVAELoss(), AdaMLVAELoss(), GVAELoss(1), MLVAELoss(3)])
def test_a_pair_is_the_same_in_either_order(criterion, monkeypatch) -> None:
    model, (x, y) = model_and_images(2)
    monkeypatch.setattr(
        "torch.distributions.normal._standard_normal",
        lambda shape, dtype, device: torch.linspace(-1, 1, D, dtype=dtype).expand(shape),
    )
    there, gradient = run(criterion, model, (x, y))
    back, same = run(criterion, model, (y, x))
    for name, term in there.terms.items():
        assert back.terms[name].item() == pytest.approx(term.item(), rel=1e-12)
    torch.testing.assert_close(same, gradient, rtol=1e-9, atol=1e-11)


@pytest.mark.untyped
@pytest.mark.parametrize("criterion", [GVAELoss(2), AdaMLVAELoss()])
def test_refuses_what_is_no_tuple_of_batches(criterion) -> None:
    model, (x, y) = model_and_images(2)
    for batch, got in ((x, "got a single batch"), ((x,), "got 1 of them")):
        with pytest.raises(TypeError, match=got) as error:
            criterion(model, batch)
        for advice in ("ChangedFactorPairs", "FactorPairs", "LabelPairs", "--source"):
            assert advice in str(error.value)
    with pytest.raises(ValueError, match="must have the same shape"):
        criterion(model, (x, y[:3]))
    with pytest.raises(ValueError, match=r"values in \[0, 1\]"):
        criterion(model, (x, 255 * y))
    with pytest.raises(TypeError, match="floating-point"):
        criterion(model, ([[0.0]], [[1.0]]))


def test_refuses_dimensions_that_are_not_there() -> None:
    model, batch = model_and_images(3)
    with pytest.raises(ValueError, match="specified must be at least 1"):
        GVAELoss(0)
    with pytest.raises(ValueError, match="specified=5 dimensions of a code that has 4"):
        MLVAELoss(5)(model, tuple(batch))
    GVAELoss(4)(model, tuple(batch))
    with pytest.raises(ValueError, match="got groups of 3"):
        AdaGVAELoss()(model, tuple(batch))
