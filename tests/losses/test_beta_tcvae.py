"""β-TCVAE against its definition, by independent enumeration."""

import math

import pytest
import torch

from disvae import BetaTCVAELoss
from disvae.testing import small_vae

N, M, D = 500, 12, 4


def terms_by_loops(mean, std, z, weights):
    """I, TC and Σ_j KL_j from explicit loops; ``weights[i][j]`` is the weight of q(z_i|x_j)."""

    def log_density(value, m, s):
        return -0.5 * ((value - m) / s) ** 2 - math.log(s) - 0.5 * math.log(2 * math.pi)

    sums = [0.0, 0.0, 0.0]
    for i in range(M):
        table = [[log_density(z[i][d], mean[j][d], std[j][d]) for d in range(D)] for j in range(M)]
        joint = math.log(sum(weights[i][j] * math.exp(sum(table[j])) for j in range(M)))
        product = sum(
            math.log(sum(weights[i][j] * math.exp(table[j][d]) for j in range(M))) for d in range(D)
        )
        prior = sum(log_density(z[i][d], 0.0, 1.0) for d in range(D))
        for k, term in enumerate((sum(table[i]) - joint, joint - product, product - prior)):
            sums[k] += term / M
    return sums


def weights_by_loops(estimator):
    if estimator == "mws":
        return [[1 / (N * M)] * M for _ in range(M)]
    rows = [[1 / (M - 1)] * M for _ in range(M)]
    for i in range(M):
        rows[i][i] = 1 / N
        rows[i][(i + 1) % M] = (N - M + 1) / (N * (M - 1))
    return rows


@pytest.mark.parametrize("estimator", ["mws", "mss"])
def test_terms_and_loss_are_the_definition(estimator: str) -> None:
    model, x = small_vae(D).double(), torch.rand(M, 1, 8, 8, dtype=torch.float64)
    alpha, beta, gamma = 0.5, 6.0, 2.0
    torch.manual_seed(1)
    output = BetaTCVAELoss(N, alpha, beta, gamma, estimator)(model, x)
    torch.manual_seed(1)
    posterior, z, _ = model(x)
    moments = (posterior.loc.tolist(), posterior.scale.tolist(), z.tolist())
    expected = terms_by_loops(*moments, weights_by_loops(estimator))

    names = ("mutual_information", "total_correlation", "dimension_wise_kl")
    actual = [output.terms[name].item() for name in names]
    assert actual == pytest.approx(expected, abs=1e-9)

    # The weighted sum, with the closed form in the place of the three terms' Monte Carlo sum.
    weighted = alpha * expected[0] + beta * expected[1] + gamma * expected[2]
    closed_form = weighted + alpha * (output.terms["kl"].item() - sum(expected))
    penalty = output.loss.item() - output.terms["reconstruction"].item()
    assert penalty == pytest.approx(closed_form, abs=1e-9)


def test_gradient_is_that_of_the_weighted_terms_on_average() -> None:
    # E[KL closed form - Monte Carlo KL] = 0 and so is its gradient's expectation.
    model, x = small_vae(D).double(), torch.rand(M, 1, 8, 8, dtype=torch.float64)
    weight = model.encoder[1].weight
    rows = []
    for _ in range(400):
        posterior, z, _ = model(x)
        log_ratio = posterior.log_prob(z) - model.prior.log_prob(z)
        monte_carlo = log_ratio.sum(-1).mean()
        closed = torch.distributions.kl_divergence(posterior, model.prior).sum(-1).mean()
        rows.append(torch.autograd.grad(closed - monte_carlo, weight)[0].flatten())
    rows = torch.stack(rows)
    error = rows.std(0) / len(rows) ** 0.5
    assert (rows.mean(0).abs() < 4.5 * error + 1e-12).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset_size": 0}, "at least 1"),
        ({"dataset_size": 100, "estimator": "mwss"}, "unknown estimator 'mwss'"),
    ],
)
def test_bad_arguments(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        BetaTCVAELoss(**arguments)


def test_batch_larger_than_the_data_set() -> None:
    with pytest.raises(ValueError, match="whole training set"):
        BetaTCVAELoss(dataset_size=5)(small_vae(D), torch.rand(6, 1, 8, 8))
