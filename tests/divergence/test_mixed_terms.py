"""The three terms of the KL where dimensions are categorical, against enumeration."""

import itertools
import math

import pytest
import torch
from scipy.stats import entropy
from torch.distributions import Normal
from torch.nn.functional import one_hot

from disvae.divergence import (
    BatchEstimate,
    MinibatchJackknife,
    MinibatchStratified,
    MinibatchWeighted,
    MixedDistribution,
    PermutedRatio,
    PriorRatio,
    density_ratio,
    exact_decomposition,
    measure_decomposition,
    permute_dims,
    standard_prior,
)
from disvae.models import Discriminator

CATEGORIES = (3, 2, 4)


def only_categories(probabilities: list[torch.Tensor]) -> MixedDistribution:
    n = len(probabilities[0])
    empty = torch.zeros(n, 0, dtype=torch.float64)
    return MixedDistribution(
        Normal(empty, torch.ones_like(empty)), [p.log() for p in probabilities]
    )


@pytest.fixture
def categorical() -> list[torch.Tensor]:
    """The probabilities of each dimension, of 30 images whose dimensions depend on each other."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(30, 1, generator=generator, dtype=torch.float64)
    slopes = [torch.randn(n, generator=generator, dtype=torch.float64) for n in CATEGORIES]
    return [(2 * shared * slope).softmax(1) for slope in slopes]


def enumerated(probabilities: list[torch.Tensor]) -> list[float]:
    """I, TC and the dimension-wise KL, by a loop over all codes there are."""
    joint = torch.zeros(CATEGORIES, dtype=torch.float64)
    own = 0.0
    for image in zip(*probabilities, strict=True):
        for code in itertools.product(*map(range, CATEGORIES)):
            p = math.prod(float(block[k]) for block, k in zip(image, code, strict=True))
            joint[code] += p / 30
            own += p * math.log(p) / 30
    marginals = [joint.sum([k for k in range(3) if k != j]) for j in range(3)]
    total = entropy(joint.flatten())
    apart = [entropy(marginal) for marginal in marginals]
    most = [math.log(n) for n in CATEGORIES]
    return [own + total, sum(apart) - total, sum(most) - sum(apart)]


def test_exact_terms_are_those_of_the_enumerated_codes(categorical) -> None:
    truth = enumerated(categorical)
    assert min(truth) > 0.05  # there is something to find
    many = only_categories([p.repeat(80, 1) for p in categorical])  # the same aggregate posterior
    generator = torch.Generator().manual_seed(1)
    measured = measure_decomposition(many, 2_400, generator=generator, progress=False)
    for found, error, expected in zip(measured.mean, measured.standard_error, truth, strict=True):
        assert abs(found - expected) < 4 * error < 0.15


def test_certain_codes_have_the_entropies_of_their_counts() -> None:
    """Nothing is drawn, so that nothing is left to chance."""
    codes = torch.stack([torch.randint(n, (500,)) for n in CATEGORIES], 1)
    codes[:, 1] = codes[:, 0] % 2  # one dimension follows another
    blocks = [one_hot(codes[:, j], n).double() for j, n in enumerate(CATEGORIES)]
    found = exact_decomposition(only_categories(blocks))
    counts = torch.zeros(CATEGORIES, dtype=torch.float64)
    for code in codes.tolist():
        counts[tuple(code)] += 1
    total = entropy(counts.flatten())
    apart = sum(entropy(counts.sum([k for k in range(3) if k != j])) for j in range(3))
    assert found.mutual_information.item() == pytest.approx(total, abs=1e-9)
    assert found.total_correlation.item() == pytest.approx(apart - total, abs=1e-9)
    most = sum(math.log(n) for n in CATEGORIES)
    assert found.dimension_wise_kl.item() == pytest.approx(most - apart, abs=1e-9)


@pytest.fixture
def mixed() -> tuple[MixedDistribution, torch.Tensor]:
    """24 posteriors of two Gaussian and two categorical dimensions, and a code of each."""
    mean = torch.randn(24, 2, dtype=torch.float64)
    normal = Normal(mean, 0.2 + torch.rand(24, 2, dtype=torch.float64))
    logits = [mean[:, :1] * torch.randn(3).double(), mean[:, 1:] * torch.randn(2).double()]
    q = MixedDistribution(normal, logits)
    return q, q.rsample()


def slow_terms(q: MixedDistribution, z: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The three terms from densities and probabilities, one code and one image at a time."""
    n = len(z)
    codes = q.codes(z)
    density = torch.zeros(n, n, 4, dtype=torch.float64)
    for i in range(n):
        for j in range(n):
            deviation = (codes[i, :2] - q.continuous.loc[j]) / q.continuous.scale[j]
            scale = q.continuous.scale[j] * math.sqrt(2 * math.pi)
            density[i, j, :2] = (-0.5 * deviation**2).exp() / scale
            for k in (2, 3):
                density[i, j, k] = q.logits[k - 2][j].exp()[int(codes[i, k])]
    total = torch.zeros(3, dtype=torch.float64)
    for i in range(n):
        own = density[i, i].log().sum()
        joint = (weights[i] * density[i].prod(1)).sum().log()
        product = (weights[i][:, None] * density[i]).sum(0).log().sum()
        prior = (-0.5 * codes[i, :2] ** 2 - 0.5 * math.log(2 * math.pi)).sum()
        prior = prior - math.log(3) - math.log(2)
        total += torch.stack([own - joint, joint - product, product - prior]) / n
    return total


def test_exact_terms_of_mixed_codes(mixed) -> None:
    q, z = mixed
    expected = slow_terms(q, z, torch.full((24, 24), 1 / 24, dtype=torch.float64))
    for block_size in (5, 24, 128):
        found = exact_decomposition(q, z, block_size)
        torch.testing.assert_close(torch.stack(tuple(found)), expected)


N = 1_000


def stratified() -> torch.Tensor:
    weights = torch.full((24, 24), 1 / 23, dtype=torch.float64)
    for i in range(24):
        weights[i, i] = 1 / N
        weights[i, (i + 1) % 24] = (N - 24 + 1) / (N * 23)
    return weights


def others() -> torch.Tensor:
    return (1 - torch.eye(24, dtype=torch.float64)) / 23


@pytest.mark.parametrize(
    ("estimator", "weights"),
    [
        (MinibatchWeighted(N), torch.full((24, 24), 1 / (N * 24), dtype=torch.float64)),
        (MinibatchStratified(N), stratified()),
        (BatchEstimate(), others()),
    ],
)
def test_minibatch_estimates_of_mixed_codes(mixed, estimator, weights) -> None:
    found = estimator(*mixed)
    torch.testing.assert_close(torch.stack(tuple(found)), slow_terms(*mixed, weights))


def test_jackknife_of_all_images_is_exact(mixed) -> None:
    found, expected = MinibatchJackknife(24)(*mixed), exact_decomposition(*mixed)
    torch.testing.assert_close(torch.stack(tuple(found)), torch.stack(tuple(expected)))


def test_jackknife_of_a_batch_is_nearer_than_plain_weights(categorical) -> None:
    """Of all batches' estimates, averaged, in a model whose truth can be enumerated."""
    truth = enumerated(categorical)[1]
    found = {"jackknife": [], "mss": []}
    for _ in range(400):
        rows = torch.randperm(30)[:12]
        q = only_categories([p[rows] for p in categorical])
        z = q.rsample()
        found["jackknife"].append(MinibatchJackknife(30)(q, z).total_correlation)
        found["mss"].append(MinibatchStratified(30)(q, z).total_correlation)
    mean = {name: float(torch.stack(values).mean()) for name, values in found.items()}
    assert abs(mean["jackknife"] - truth) < 0.5 * abs(mean["mss"] - truth)


def test_estimates_are_differentiable_in_logits(mixed) -> None:
    q, z = mixed
    logits = [block.detach().clone().requires_grad_() for block in q.logits]
    z = z.detach()

    def total_correlation(*logits: torch.Tensor) -> torch.Tensor:
        return MinibatchStratified(N)(MixedDistribution(q.continuous, logits), z).total_correlation

    assert torch.autograd.gradcheck(total_correlation, logits)


def test_prior_of_ones_own(mixed) -> None:
    q, z = mixed
    prior = MixedDistribution(
        Normal(torch.ones(2).double(), torch.ones(2).double()),
        [torch.tensor([0.5, 0.3, 0.2]).log(), torch.tensor([0.9, 0.1]).log()],
    )
    for found, usual in (
        (exact_decomposition(q, z, prior=prior), exact_decomposition(q, z)),
        (MinibatchStratified(N)(q, z, prior), MinibatchStratified(N)(q, z)),
    ):
        difference = standard_prior(q).log_prob(z).sum(1) - prior.log_prob(z).sum(1)
        assert found[:2] == usual[:2]
        torch.testing.assert_close(found[2], usual[2] + difference.mean())


def test_codes_of_another_width(mixed) -> None:
    q, z = mixed
    for wrong in (z[:, 1:], q.codes(z), z[1:]):
        with pytest.raises(ValueError, match="expected a posterior and codes of the same shape"):
            exact_decomposition(q, wrong)
        with pytest.raises(ValueError, match="expected a posterior and codes of the same shape"):
            MinibatchWeighted(N)(q, wrong)


def test_values_that_are_not_finite(mixed) -> None:
    q, _ = mixed
    broken = MixedDistribution(q.continuous, [q.logits[0] * torch.nan, q.logits[1]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        exact_decomposition(broken, None)
    flat = MixedDistribution(Normal(q.continuous.loc, 0 * q.continuous.scale, False), q.logits)
    with pytest.raises(ValueError, match="a scale that is not positive"):
        exact_decomposition(flat, None)


def test_permuted_blocks_stay_together(mixed) -> None:
    q, z = mixed
    permuted = permute_dims(z, sizes=q.sizes)
    assert not torch.equal(permuted, z)
    places = []
    for before, after in zip(z.split(q.sizes, 1), permuted.split(q.sizes, 1), strict=True):
        assert sorted(before.tolist()) == sorted(after.tolist())  # whole rows of a block
        places.append(after[:, 0])
    assert (permuted[:, 2:].split([3, 2], 1)[0].sum(1) == 1).all()
    again = permute_dims(z[:, :2].repeat(1, 2), sizes=(2, 2))  # the same twice: permuted apart
    assert not torch.equal(again[:, :2], again[:, 2:])


def test_permuting_single_columns_is_what_it_was() -> None:
    z = torch.randn(50, 4)
    torch.manual_seed(2)
    expected = permute_dims(z)
    torch.manual_seed(2)
    assert torch.equal(permute_dims(z, sizes=(1, 1, 1, 1)), expected)


def test_sizes_that_are_not_those_of_the_codes() -> None:
    with pytest.raises(ValueError, match="codes of 4 columns cannot have dimensions of"):
        permute_dims(torch.randn(5, 4), sizes=(1, 2))


def test_every_arrangement_of_blocks_is_as_frequent() -> None:
    z = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]).repeat(1, 2)
    counts: dict[tuple, int] = {}
    for _ in range(3_600):
        permuted = permute_dims(z, sizes=(3, 3))
        key = tuple(permuted[:, :3].argmax(1).tolist() + permuted[:, 3:].argmax(1).tolist())
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 36
    assert all(abs(n - 100) < 50 for n in counts.values())


def test_a_discriminator_learns_the_total_correlation(categorical) -> None:
    truth = enumerated(categorical)[1]
    q = only_categories(categorical)
    prior = standard_prior(q)
    estimator = PermutedRatio(Discriminator(9, hidden_dim=64, n_hidden=2)).double()
    optimizer = torch.optim.Adam(estimator.parameters(), lr=3e-3)
    for _ in range(400):
        z = q.rsample((20,)).flatten(0, 1)  # 20 codes of each image: draws of q(z)
        _, loss = estimator.both(z, prior)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    z = q.rsample((2_000,)).flatten(0, 1)
    assert density_ratio(estimator.discriminator, z).item() == pytest.approx(truth, rel=0.1)


def test_the_reference_of_the_prior_is_uniform_over_categories() -> None:
    q = only_categories([torch.full((3_000, n), 1 / n, dtype=torch.float64) for n in CATEGORIES])
    estimator = PriorRatio(Discriminator(9, hidden_dim=4, n_hidden=1))
    reference = estimator.reference(torch.zeros(3_000, 9).double(), standard_prior(q))
    for block, n in zip(reference.split(CATEGORIES, 1), CATEGORIES, strict=True):
        assert (block.sum(1) == 1).all()
        assert (block.mean(0) - 1 / n).abs().max() < 0.04
