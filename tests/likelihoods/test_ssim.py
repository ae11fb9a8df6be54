"""The structural similarity against a slow computation of its formula."""

import numpy as np
import pytest
import torch

from disvae.likelihoods import Bernoulli, SquaredError, StructuralSimilarity


def slow_ssim(a, b):
    """One channel: an 11×11 window around every pixel, weighed by a Gaussian of deviation 1.5."""
    a, b = (np.pad(image, 5, mode="reflect") for image in (a, b))
    offsets = np.arange(-5, 6)
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for i in range(5, a.shape[0] - 5):
        for j in range(5, a.shape[1] - 5):
            x, y = (image[i - 5 : i + 6, j - 5 : j + 6] for image in (a, b))
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
            values.append(luminance * (2 * cov + c2) / (vx + vy + c2))
    return np.mean(values)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_equals_the_formula(n_channels) -> None:
    torch.manual_seed(0)
    x = torch.rand(2, n_channels, 14, 17, dtype=torch.float64)
    mean = (0.7 * x + 0.3 * torch.rand_like(x)).clamp(0, 1)
    actual = StructuralSimilarity(SquaredError()).similarity(mean, x)
    expected = [
        np.mean([slow_ssim(m.numpy(), i.numpy()) for m, i in zip(a, b, strict=True)])
        for a, b in zip(mean, x, strict=True)
    ]
    torch.testing.assert_close(actual, torch.tensor(expected), rtol=0, atol=1e-4)


def test_weighted_lack_of_similarity_is_added() -> None:
    torch.manual_seed(0)
    logits, x = torch.randn(3, 1, 28, 28), torch.rand(3, 1, 28, 28)
    plain = Bernoulli().nll(logits, x)
    assert torch.equal(StructuralSimilarity(weight=0.0).nll(logits, x), plain)
    likelihood = StructuralSimilarity(weight=20.0)
    lack = 1 - likelihood.similarity(logits, x)
    torch.testing.assert_close(likelihood.nll(logits, x), plain + 20 * lack)
    assert (lack > 0.5).all()  # noise is not similar to noise
    equal = StructuralSimilarity(SquaredError()).nll(x, x)
    torch.testing.assert_close(equal, torch.zeros(3), rtol=0, atol=1e-3)


def test_gradient_makes_images_more_similar() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 1, 16, 16)
    mean = torch.full_like(x, 0.5).requires_grad_()
    likelihood = StructuralSimilarity(SquaredError(), weight=100.0)
    optimizer = torch.optim.Adam([mean], lr=0.02)
    before = likelihood.similarity(mean, x).item()
    for _ in range(20):
        optimizer.zero_grad()
        likelihood.nll(mean, x).sum().backward()
        optimizer.step()
    assert likelihood.similarity(mean, x).item() > before + 0.3


def test_constant_images_are_finite() -> None:
    mean = torch.zeros(2, 1, 16, 16, requires_grad=True)
    value = StructuralSimilarity(SquaredError()).nll(mean, torch.zeros(2, 1, 16, 16))
    value.sum().backward()
    assert value.isfinite().all()
    assert mean.grad.isfinite().all()


def test_refuses() -> None:
    with pytest.raises(ValueError, match="at least 11 pixels a side, got 8 x 28"):
        StructuralSimilarity().nll(torch.zeros(1, 1, 8, 28), torch.zeros(1, 1, 8, 28))
    with pytest.raises(ValueError, match="weight must not be negative"):
        StructuralSimilarity(weight=-1.0)
