"""Continuous and categorical variables: against torch's own, by frequencies, at the extremes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.distributions import Categorical, Normal, Uniform, kl_divergence

from disvae.divergence import MixedDistribution, kl_per_dimension
from disvae.divergence.mixed import IMPOSSIBLE

BATCH, CONTINUOUS, CATEGORIES = 6, 2, (3, 5)


def random_mixed(batch=BATCH, dtype=torch.float64, temperature=0.67) -> MixedDistribution:
    mean = torch.randn(batch, CONTINUOUS, dtype=dtype)
    normal = Normal(mean, 0.3 + torch.rand_like(mean), validate_args=False)
    return MixedDistribution(
        normal, [torch.randn(batch, n, dtype=dtype) for n in CATEGORIES], temperature
    )


def test_shapes_and_names() -> None:
    q = random_mixed()
    assert (q.n_continuous, q.categories, q.sizes) == (2, (3, 5), (1, 1, 3, 5))
    assert q.batch_shape == (6, 4)
    assert q.event_shape == ()
    assert q.rsample().shape == (6, 10)
    assert q.rsample((7,)).shape == (7, 6, 10)
    assert q.log_prob(q.rsample((7,))).shape == (7, 6, 4)
    assert q.loc.shape == q.codes(q.rsample()).shape == (6, 4)


def test_log_density_is_that_of_each_variable() -> None:
    q = random_mixed()
    z = q.rsample((50,))
    codes = q.codes(z)
    parts = [q.continuous.log_prob(codes[..., :2])]
    for j, logits in enumerate(q.logits, 2):
        parts.append(Categorical(logits=logits).log_prob(codes[..., j])[..., None])
    torch.testing.assert_close(q.log_prob(z), torch.cat(parts, -1))


def test_kl_is_that_of_each_variable() -> None:
    q, p = random_mixed(), random_mixed()
    found = kl_per_dimension(q, p)
    parts = [kl_divergence(q.continuous, p.continuous)]
    for a, b in zip(q.logits, p.logits, strict=True):
        parts.append(kl_divergence(Categorical(logits=a), Categorical(logits=b))[:, None])
    torch.testing.assert_close(found, torch.cat(parts, -1))


def test_kl_is_the_mean_difference_of_log_densities() -> None:
    q, p = random_mixed(batch=3), random_mixed(batch=1).expand((3, 4))
    difference = q.log_prob(z := q.rsample((40_000,))) - p.log_prob(z)
    error = difference.std(0) / 40_000**0.5
    assert ((difference.mean(0) - kl_divergence(q, p)).abs() < 4.5 * error).all()


def test_kl_to_equal_categories_is_what_the_entropy_lacks() -> None:
    logits = torch.randn(8, 5, dtype=torch.float64)
    normal = Normal(torch.zeros(8, 0), torch.ones(8, 0))
    q = MixedDistribution(normal, [logits])
    p = MixedDistribution(Normal(torch.zeros(0), torch.ones(0)), [torch.zeros(5).double()])
    expected = torch.tensor(5.0).double().log() - Categorical(logits=logits).entropy()
    torch.testing.assert_close(kl_divergence(q, p)[:, 0], expected)


def test_draws_are_one_hot_exactly() -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        z = random_mixed(batch=2_000, dtype=dtype).rsample()
        assert z.dtype == dtype
        for block in z[:, 2:].split(CATEGORIES, 1):
            assert set(block.unique().tolist()) == {0.0, 1.0}
            assert (block.sum(1) == 1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_categories_are_as_frequent_as_they_are_probable(dtype) -> None:
    probabilities = torch.tensor([0.7, 0.2, 0.08, 0.02])
    n = 200_000
    logits = probabilities.log().to(dtype).expand(n, 4)
    q = MixedDistribution(Normal(torch.zeros(n, 0), torch.ones(n, 0)), [logits])
    exact = q.logits[0][0].double().exp()  # what bfloat16 leaves of them
    found = q.rsample().double().mean(0)
    error = (exact * (1 - exact) / n).sqrt()
    assert ((found - exact / exact.sum()).abs() < 4.5 * error).all()


def test_draws_of_two_variables_are_independent() -> None:
    q = random_mixed(batch=1)
    first, second = q.rsample((100_000,))[:, 0, 2:].split(CATEGORIES, 1)
    joint = first.T @ second / 100_000
    apart = joint - first.mean(0)[:, None] * second.mean(0)
    assert apart.abs().max() < 5 * 0.25 / 100_000**0.5


@pytest.mark.parametrize("temperature", [0.2, 0.67, 3.0])
def test_gradient_is_that_of_the_softmax_of_the_noisy_logits(temperature) -> None:
    logits = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(6, 5, dtype=torch.float64)
    normal = Normal(torch.zeros(6, 0).double(), torch.ones(6, 0).double())
    torch.manual_seed(1)
    z = MixedDistribution(normal, [logits], temperature).rsample()
    (found,) = torch.autograd.grad((weights * z).sum(), logits)
    torch.manual_seed(1)
    noise = -torch.log(-torch.log(torch.rand(6, 5, dtype=torch.float64)))
    soft = ((logits.log_softmax(1) + noise) / temperature).softmax(1)
    assert torch.equal(soft.argmax(1), z.argmax(1))
    (expected,) = torch.autograd.grad((weights * soft).sum(), logits)
    torch.testing.assert_close(found, expected)


def test_gradient_points_where_the_expectation_grows() -> None:
    """Straight through it is biased, but at a temperature of 1 not by much at even odds."""
    logits = torch.zeros(200_000, 3, dtype=torch.float64, requires_grad=True)
    value = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    normal = Normal(torch.zeros(200_000, 0), torch.ones(200_000, 0))
    z = MixedDistribution(normal, [logits], temperature=1.0).rsample()
    (found,) = torch.autograd.grad((z @ value).sum(), logits)
    expected = (value - value.mean()) / 3  # of Σ p_k v_k in the logits
    cosine = torch.cosine_similarity(found.mean(0), expected, dim=0)
    assert cosine > 0.99
    assert found.mean(0).norm() > 0.4 * expected.norm()


@given(
    arrays.arrays("float64", (4, 2), elements=st.floats(-5, 5)),
    st.lists(st.integers(0, 2), min_size=4, max_size=4),
    st.lists(st.integers(0, 4), min_size=4, max_size=4),
)
def test_codes_and_columns_go_round(continuous, first, second) -> None:
    q = random_mixed(batch=1)
    codes = torch.cat([torch.from_numpy(continuous), torch.tensor([first, second]).T], dim=1)
    columns = q.columns(codes)
    assert columns.shape == (4, 10)
    assert torch.equal(q.codes(columns), codes)
    assert (columns[:, 2:5].sum(1) == 1).all()
    assert torch.equal(columns[:, 2:5].argmax(1), torch.tensor(first))


def test_categories_between_and_beyond_the_numbers_are_the_nearest() -> None:
    q = random_mixed(batch=1)
    codes = torch.tensor([[0.0, 0.0, 0.4, -7.0], [0.0, 0.0, 1.6, 99.0]])
    assert torch.equal(q.codes(q.columns(codes))[:, 2:], torch.tensor([[0.0, 0.0], [2.0, 4.0]]))


def test_location_is_means_and_most_probable_categories() -> None:
    logits = torch.tensor([[0.1, 0.2, 0.0], [3.0, 0.0, 2.9]])
    q = MixedDistribution(Normal(torch.tensor([[1.5], [-2.0]]), torch.ones(2, 1)), [logits])
    assert q.loc.tolist() == [[1.5, 1.0], [-2.0, 0.0]]


EXTREME = [[0.0, -torch.inf, 5.0], [1e30, -1e30, 0.0], [200.0, -200.0, 199.0], [-88.0, -1e4, 88.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_extremes_stay_finite(dtype) -> None:
    logits = torch.tensor(EXTREME, dtype=dtype, requires_grad=True)
    normal = Normal(torch.zeros(4, 0, dtype=dtype), torch.ones(4, 0, dtype=dtype))
    q = MixedDistribution(normal, [logits], temperature=0.1)
    p = MixedDistribution(
        Normal(torch.zeros(0).to(dtype), torch.ones(0).to(dtype)), [torch.zeros(3, dtype=dtype)]
    )
    z = q.rsample()
    kl = kl_divergence(q, p)
    density = q.log_prob(z[:, None])  # of every draw under every other
    back = kl_divergence(p.expand((4, 1)), q)
    for name, value in {"draw": z, "kl": kl, "density": density, "back": back}.items():
        assert value.isfinite().all(), name
    # Not back: the slope of something so wrong may be as large as it likes.
    (z.sum() + kl.sum() + density.diagonal().sum()).backward()
    assert logits.grad.isfinite().all()
    assert (kl <= torch.tensor(3.0).log() + 0.01).all()


def test_what_is_impossible_is_never_drawn_and_next_to_infinitely_unlikely() -> None:
    logits = torch.tensor([0.0, -torch.inf]).expand(10_000, 2)
    q = MixedDistribution(Normal(torch.zeros(10_000, 0), torch.ones(10_000, 0)), [logits])
    assert (q.rsample()[:, 0] == 1).all()
    assert q.log_prob(torch.tensor([0.0, 1.0]))[0].item() == pytest.approx(IMPOSSIBLE)


def test_precision_under_autocast_is_float32() -> None:
    q = random_mixed(dtype=torch.float32)
    torch.manual_seed(0)
    expected = q.rsample(), kl_divergence(q, q.expand((6, 4))), q.log_prob(q.rsample())
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        made = MixedDistribution(q.continuous, q.logits)
        found = made.rsample(), kl_divergence(made, q), made.log_prob(made.rsample())
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == torch.float32
        torch.testing.assert_close(a, b)


def test_logits_of_bfloat16_may_come_out_of_an_encoder_under_autocast() -> None:
    layer = torch.nn.Linear(4, 3)
    with torch.autocast("cpu", torch.bfloat16):
        logits = layer(torch.rand(5, 4))
        assert logits.dtype == torch.bfloat16
        q = MixedDistribution(Normal(torch.zeros(5, 0), torch.ones(5, 0)), [logits])
        z = q.rsample()
        z.sum().backward()
    assert layer.weight.grad.isfinite().all()


def test_nothing_is_asked_of_the_host() -> None:
    """On tensors without values: whoever reads one back, or chooses by one, fails."""
    normal = Normal(
        torch.zeros(4, 2, device="meta"), torch.ones(4, 2, device="meta"), validate_args=False
    )
    q = MixedDistribution(normal, [torch.zeros(4, 3, device="meta", requires_grad=True)])
    z = q.rsample()
    terms = [
        z,
        q.log_prob(z),
        kl_divergence(q, q),
        q.loc,
        q.columns(q.codes(z)),
        q.expand((4, 3)).loc,
    ]
    sum(term.sum() for term in terms).backward()


def test_continuous_variables_of_another_kind() -> None:
    """As InfoGAN has them."""
    p = MixedDistribution(Uniform(-torch.ones(2), torch.ones(2)), [torch.zeros(3)])
    z = p.rsample((1_000,))
    assert z[:, :2].abs().max() < 1
    expected = torch.tensor([0.5, 0.5, 1 / 3]).log()
    torch.testing.assert_close(p.log_prob(z), expected.expand(1_000, 3))


def test_expanded() -> None:
    p = random_mixed(batch=1)
    many = p.expand((7, 4))
    assert many.batch_shape == (7, 4)
    z = many.rsample()
    torch.testing.assert_close(many.log_prob(z), p.log_prob(z))
    with pytest.raises(ValueError, match="4 variables cannot be expanded to 5"):
        p.expand((7, 5))


def test_bad_arguments() -> None:
    normal = Normal(torch.zeros(1, 1), torch.ones(1, 1))
    with pytest.raises(ValueError, match=r"at least 2 categories each, got \(3, 1\)"):
        MixedDistribution(normal, [torch.zeros(1, 3), torch.zeros(1, 1)])
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="temperature must be positive"):
            MixedDistribution(normal, [torch.zeros(1, 3)], temperature)
