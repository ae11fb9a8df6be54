"""Codes of known quality for a full grid of factors."""

import numpy as np
import pytest

SIZES = (3, 4, 6, 40)


@pytest.fixture(scope="session")
def factors():
    grid = np.meshgrid(*(np.arange(n) for n in SIZES), indexing="ij")
    return np.stack(grid, axis=-1).reshape(-1, len(SIZES))


@pytest.fixture(scope="session")
def standard(factors):
    """The factors, each in units of its own standard deviation."""
    return (factors - factors.mean(0)) / factors.std(0)


@pytest.fixture(scope="session")
def codes(standard):
    """Codes by name: perfect, rotated by 45 degrees in two planes, and random."""
    rng = np.random.default_rng(0)
    a, b, c, d = standard.T
    rotated = np.stack([a + b, a - b, c + d, c - d], axis=1)
    noise = rng.normal(size=(len(standard), 6))
    return {
        "perfect": np.concatenate([standard, 0.01 * noise], axis=1),
        "rotated": np.concatenate([rotated + 0.3 * noise[:, :4], 0.01 * noise], axis=1),
        "random": noise,
    }
