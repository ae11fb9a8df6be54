"""Metrics of codes whose dimensions hold numbers of categories."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from torch.distributions import Normal

from disvae.divergence import MixedDistribution
from disvae.metrics import (
    evaluate,
    factor_vae_score,
    infoc,
    infoe,
    infom,
    matching_accuracy,
    mig,
    posterior_mig,
    with_error,
    z_max_variance,
)
from disvae.metrics.arrays import check_arrays

N = 240
GRID = np.stack(np.meshgrid(range(4), range(3), range(5), indexing="ij"), -1).reshape(-1, 3)
FACTORS = np.tile(GRID, (N // len(GRID), 1))
FEW = {"train_votes": 300, "eval_votes": 300, "samples_per_vote": 10}


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    """Two continuous dimensions and two discrete ones, all of them related to the factors."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(N, 2))
    continuous = FACTORS[:, [0, 2]] + 0.8 * noise
    shape = np.where(rng.random(N) < 0.8, FACTORS[:, 1], rng.integers(3, size=N))
    other = np.where(rng.random(N) < 0.6, 4 - FACTORS[:, 2], rng.integers(5, size=N))
    return np.column_stack([continuous, shape, other])


def gini(z: np.ndarray, discrete: bool) -> float:
    """As the paper's appendix B has it: a loop over all pairs."""
    total = 0.0
    for a in z:
        for b in z:
            total += float(a != b) if discrete else (a - b) ** 2
    return total / (2 * len(z) * (len(z) - 1))


def test_columns_of_a_dimension_have_its_gini_variance(codes) -> None:
    arrays = check_arrays(codes, FACTORS, discrete=[2, 3])
    rows = np.random.default_rng(1).choice(N, 17)
    for j in range(4):
        found = arrays.columns(j)[rows].var(axis=0, ddof=1).sum()
        assert found == pytest.approx(gini(codes[rows, j], j >= 2))
        whole = arrays.columns(j).var(axis=0).sum()
        assert arrays.spread[j] ** 2 == pytest.approx(whole)


def slow_score(codes: np.ndarray, discrete: set[int], seed: int) -> float:
    """The votes of the library's draws, counted one by one."""
    rng = np.random.default_rng(seed)
    whole = [gini(codes[:, j], j in discrete) for j in range(codes.shape[1])]
    tables = []
    for _ in range(2):
        table = np.zeros((codes.shape[1], 3))
        for k, n in enumerate(np.bincount(rng.integers(3, size=300), minlength=3)):
            order = np.argsort(FACTORS[:, k], kind="stable")
            size = N // (FACTORS[:, k].max() + 1)
            sample = rng.integers(N, size=n)
            start = FACTORS[sample, k] * size
            offset = (rng.random((n, 10)) * size).astype(int)
            for group in order[start[:, None] + offset]:
                share = [
                    gini(codes[group, j], j in discrete) / whole[j] for j in range(codes.shape[1])
                ]
                winners = [j for j, v in enumerate(share) if v <= min(share) * (1 + 1e-9) + 1e-18]
                for j in winners:
                    table[j, k] += 1 / len(winners)
        tables.append(table.round(12))
    stands_for = tables[0].argmax(axis=1)
    return sum(tables[1][stands_for == k, k].sum() for k in range(3)) / 300


def test_score_is_that_of_a_slow_loop(codes) -> None:
    found = factor_vae_score(codes, FACTORS, seed=5, discrete=[2, 3], **FEW)
    assert found == pytest.approx(slow_score(codes, {2, 3}, seed=5), abs=1e-9)
    assert found != factor_vae_score(codes, FACTORS, seed=5, **FEW)  # as numbers


@settings(max_examples=10)
@given(st.permutations(range(3)), st.permutations(range(5)), st.integers(-1000, 1000))
def test_names_of_categories_do_not_matter(codes, three, five, shift) -> None:
    renamed = codes.copy()
    renamed[:, 2] = np.array(three)[codes[:, 2].astype(int)] * 7 + shift
    renamed[:, 3] = np.array(five)[codes[:, 3].astype(int)]
    for metric, more in (
        (factor_vae_score, FEW),
        (infom, {}),
        (infoc, {}),
        (infoe, {}),
    ):
        expected = metric(codes, FACTORS, discrete=[2, 3], **more)
        assert metric(renamed, FACTORS, discrete=[2, 3], **more) == pytest.approx(
            expected, abs=1e-6
        )


def test_without_discrete_dimensions_nothing_changes(codes) -> None:
    for metric in (factor_vae_score, infom, infoc, infoe):
        assert metric(codes, FACTORS) == metric(codes, FACTORS, discrete=[])


def test_min_std_is_compared_with_the_root_of_the_gini_variance() -> None:
    v = np.stack(np.meshgrid(range(2), range(50), indexing="ij"), -1).reshape(-1, 2)
    rare = (v[:, 1] == 0) * 1000.0  # far away as a number, but seldom another category
    codes = np.column_stack([v[:, 1], rare])
    for discrete, used in (([1], [0.0]), ([], [0.0, 1.0])):
        votes = factor_vae_score(codes, v, discrete=discrete, min_std=0.2).details["votes"]
        assert [j for j, row in enumerate(votes) if sum(row)] == [int(u) for u in used]


def test_z_max_variance_too(codes) -> None:
    names = codes.copy()
    names[:, 3] = np.array([3, 0, 4, 1, 2])[codes[:, 3].astype(int)]
    few = {"train_votes": 200, "eval_votes": 200, "samples_per_vote": 10}
    expected = z_max_variance(codes, FACTORS, discrete=[2, 3], **few)
    assert z_max_variance(names, FACTORS, discrete=[2, 3], **few) == expected


def test_all_metrics_at_once_know_which_dimensions_are_discrete(codes) -> None:
    wanted = ["FactorVAE score", "InfoM", "InfoE", "MIG"]
    scores = evaluate(codes, FACTORS, discrete=[2, 3], metrics=wanted)
    assert scores["FactorVAE score"] == factor_vae_score(codes, FACTORS, discrete=[2, 3])
    assert scores["InfoM"] == infom(codes, FACTORS, discrete=[2, 3])
    assert scores["InfoE"] == infoe(codes, FACTORS, discrete=[2, 3])
    assert scores["MIG"] == mig(codes, FACTORS)
    halves = evaluate(codes, FACTORS, discrete=[2, 3], metrics=["InfoM"], repeats=4)
    alone = with_error(infom, codes, FACTORS, repeats=4, discrete=[2, 3])
    assert halves["InfoM"].standard_error == pytest.approx(alone.standard_error)


def test_information_of_discrete_dimensions_is_counted(codes) -> None:
    details = infom(codes, FACTORS, discrete=[2, 3]).details
    for k, j in product(range(3), (2, 3)):
        whole = mutual_info_score(FACTORS[:, k], FACTORS[:, k])
        expected = mutual_info_score(FACTORS[:, k], codes[:, j]) / whole
        assert details["normalized_information"][k][j] == pytest.approx(expected, abs=1e-12)


def test_discrete_dimensions_are_in_use_if_they_vary_at_all() -> None:
    rng = np.random.default_rng(0)
    narrow, wide = rng.integers(2, size=N), 1e3 * rng.normal(size=N)
    constant = np.full(N, 7.0)
    codes = np.column_stack([wide, narrow, constant])
    assert infom(codes, FACTORS, discrete=[1, 2]).details["dimensions_in_use"] == [0, 1]
    assert infom(codes, FACTORS).details["dimensions_in_use"] == [0]
    only = np.column_stack([narrow, constant])
    assert infom(only, FACTORS, discrete=[0, 1]).details["dimensions_in_use"] == [0]


def test_regression_sees_categories_not_numbers() -> None:
    """Whether a number is odd is no linear function of it, but one of its one-hot code."""
    codes = FACTORS[:, 2:]
    odd = codes % 2
    assert infoe(codes, odd, discrete=[0]) > 0.99
    assert infoe(codes, odd) < 0.1


@pytest.mark.parametrize(
    ("discrete", "message"),
    [([4], "from 0 to 3, got"), ([-1], "from 0 to 3, got"), ([1], "in the discrete dimension 1")],
)
def test_dimensions_that_are_not_discrete(codes, discrete, message) -> None:
    with pytest.raises(ValueError, match=message):
        factor_vae_score(codes, FACTORS, discrete=discrete)


def brute_force(z: np.ndarray, v: np.ndarray) -> float:
    categories, values = sorted(set(z.tolist())), sorted(set(v.tolist()))
    short = max(0, len(categories) - len(values))
    best = 0
    for order in permutations([*values, *[None] * short], len(categories)):
        named = dict(zip(categories, order, strict=True))
        best = max(best, sum(named[a] == b for a, b in zip(z.tolist(), v.tolist(), strict=True)))
    return best / len(z)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=8, max_size=30))
def test_matching_is_the_best_of_all_ways(pairs) -> None:
    z, v = np.array(pairs).T
    if len(set(v.tolist())) < 2:
        return
    found = matching_accuracy(z[:, None], v[:, None], dimension=0, factor=0)
    assert found == pytest.approx(brute_force(z, v))


def test_matching_says_what_each_category_stands_for() -> None:
    z, v = [[9], [9], [1], [1], [4]], [[2], [2], [0], [0], [0]]
    score = matching_accuracy(z, v, dimension=0, factor="shape", names=["shape"])
    assert score == 0.8
    assert score.details["categories"] == [1, 4, 9]
    assert score.details["matching"] == [0, None, 2]
    assert score.details["confusion"] == [[2, 0], [1, 0], [0, 2]]
    assert score.per_factor == {"shape": 0.8}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimension": 4, "factor": 0}, "from 0 to 3"),
        ({"dimension": -1, "factor": 0}, "from 0 to 3"),
        ({"dimension": 0, "factor": 0}, "numbers of categories in the discrete dimension 0"),
        ({"dimension": 2, "factor": 3}, "a factor from 0 to 2, got 3"),
        ({"dimension": 2, "factor": "size"}, "no factor 'size'; the factors are a, b, c"),
    ],
)
def test_matching_of_what_is_not_there(codes, arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        matching_accuracy(codes, FACTORS, names=["a", "b", "c"], **arguments)


def random_posterior(certain: bool = False) -> MixedDistribution:
    rng = torch.Generator().manual_seed(0)
    v = torch.from_numpy(FACTORS)
    mean = v[:, :1] + 0.3 * torch.randn(N, 1, generator=rng)
    logits = 2 * torch.nn.functional.one_hot(v[:, 1], 3) + torch.randn(N, 3, generator=rng)
    scale = 1e4 if certain else 1.0
    return MixedDistribution(
        Normal(mean.double(), torch.full((N, 1), 0.5).double()), [scale * logits.double()]
    )


def test_information_of_posteriors_is_that_of_their_mean_probabilities() -> None:
    q = random_posterior()
    found = posterior_mig(q, FACTORS).details["mutual_information"]
    p = q.logits[0].exp().numpy()
    for k in range(3):
        table = np.array([p[FACTORS[:, k] == v].sum(0) for v in np.unique(FACTORS[:, k])]) / N
        independent = table.sum(1, keepdims=True) * table.sum(0)
        expected = (table * np.log(table / independent)).sum()
        assert found[k][1] == pytest.approx(expected, abs=1e-9)
    alone = posterior_mig(q.continuous, FACTORS).details["mutual_information"]
    assert [row[0] for row in found] == pytest.approx([row[0] for row in alone])


def test_certain_posteriors_know_what_their_categories_do() -> None:
    q = random_posterior(certain=True)
    found = np.array(posterior_mig(q, FACTORS).details["mutual_information"])[:, 1]
    expected = [mutual_info_score(FACTORS[:, k], q.loc[:, 1].numpy()) for k in range(3)]
    assert found == pytest.approx(expected)
