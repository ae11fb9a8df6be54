"""Entropies of one-dimensional mixtures of Gaussians, by as many components as a data set has.

q(z_j) is a mixture of one Gaussian per image. Its density on a grid is a sum over images for each
point, hours for the 737,280 images of dSprites. But each Gaussian is a convolution of the point of
its mean, so that all of them of one width are one convolution of a histogram. Every component is
spread over the two nearest points of a grid of means and the two nearest of a grid of variances,
so that its mean and its variance stay exactly what they are; what changes is its fourth moment, by
less than 1 %, and an entropy by 3e-4 nats at most.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.stats import entropy

from disvae.metrics.arrays import CannotComputeError

POINTS_PER_STD = 2  # of the grid, by the narrowest component
VARIANCE_RATIO = 1.1  # between neighbours of the grid of variances
MARGIN = 6.0  # standard deviations of the widest component beyond the outermost means
MOST_POINTS = 2**20
CELLS = 2**22  # of the histograms of some groups at once

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """Gaussians of one dimension, placed on grids of means and of variances.

    Args:
        mean: of each component, (n,).
        std: of each, (n,), positive.

    Raises:
        CannotComputeError: the narrowest component is so narrow that the grid would not end.
    """

    mean: Floats
    std: Floats

    @cached_property
    def spacing(self) -> float:
        """Of the grid of means."""
        return float(self.std.min()) / POINTS_PER_STD

    @cached_property
    def n_points(self) -> int:
        """Of the grid of means."""
        span = float(np.ptp(self.mean)) + 2 * MARGIN * float(self.std.max())
        points = span / self.spacing
        if points > MOST_POINTS:
            raise CannotComputeError(
                f"the narrowest posterior has a standard deviation of {self.std.min():.3g} where "
                f"codes spread over {span:.3g}: its information is that of a code without noise; "
                "use a metric of the means"
            )
        return int(next_fast_len(math.ceil(points) + 2, real=True))

    @cached_property
    def _place(self) -> tuple[NDArray[np.int64], Floats]:
        """The left neighbour of each mean on the grid, and how far towards the right one it is."""
        low = float(self.mean.min()) - MARGIN * float(self.std.max())
        position = (self.mean - low) / self.spacing
        left = np.floor(position).astype(np.int64)
        return left, position - left

    @cached_property
    def _variance(self) -> tuple[Floats, NDArray[np.int64], Floats]:
        """The grid of variances, the lower neighbour of each component's, and how far beyond."""
        share = self._place[1]
        variance = self.std**2 - share * (1 - share) * self.spacing**2  # spreading adds the rest
        low, high = float(variance.min()), float(variance.max())
        n = max(2, math.ceil(math.log(high / low) / math.log(VARIANCE_RATIO)) + 1)
        grid = np.geomspace(low, max(high, low * (1 + 1e-9)), n)
        lower = np.clip(np.searchsorted(grid, variance, side="right") - 1, 0, n - 2)
        beyond = (variance - grid[lower]) / (grid[lower + 1] - grid[lower])
        return grid, lower, np.clip(beyond, 0.0, 1.0)

    def entropies(self, group: NDArray[np.int64], n_groups: int) -> tuple[float, Floats]:
        """The entropy of the whole mixture and of the components of each group, in nats.

        Args:
            group: of each component, (n,), from 0 to ``n_groups - 1``, none empty.
            n_groups: their number.
        """
        sizes = np.bincount(group, minlength=n_groups)
        width = len(self._variance[0]) * self.n_points
        at_once = max(1, CELLS // width)
        order = np.argsort(group, kind="stable") if at_once < n_groups else None
        whole, found = np.zeros(self.n_points), []
        for start in range(0, n_groups, at_once):
            n = min(at_once, n_groups - start)
            if order is None:
                rows: NDArray[np.int64] | slice = slice(None)
            else:
                edges = np.searchsorted(group[order], [start, start + n])
                rows = order[edges[0] : edges[1]]
            density = self._densities(rows, group[rows] - start, n)
            whole += density.sum(axis=0)
            found.append(self._entropy(density / sizes[start : start + n, None]))
        return float(self._entropy(whole[None] / len(group))[0]), np.concatenate(found)

    def _densities(
        self, rows: "NDArray[np.int64] | slice", group: NDArray[np.int64], n_groups: int
    ) -> Floats:
        """The sum of the components of each group on the grid, (n_groups, n_points)."""
        grid = self._variance[0]
        left, right_share = (part[rows] for part in self._place)
        lower, upper_share = self._variance[1][rows], self._variance[2][rows]
        shape = (n_groups, len(grid), self.n_points)
        mass = np.zeros(math.prod(shape))
        cell = (group * len(grid) + lower) * self.n_points + left
        for right in (0, 1):
            for upper in (0, 1):
                weight = (right_share if right else 1 - right_share) * (
                    upper_share if upper else 1 - upper_share
                )
                corner = cell + right + upper * self.n_points
                mass += np.bincount(corner, weight, minlength=len(mass))
        frequency = 2 * np.pi * rfftfreq(self.n_points, self.spacing)
        kernels = np.exp(-0.5 * grid[:, None] * frequency**2)
        spectrum = (rfft(mass.reshape(shape), axis=2) * kernels).sum(axis=1)
        density: Floats = irfft(spectrum, self.n_points, axis=1) / self.spacing
        return density

    def _entropy(self, density: Floats) -> Floats:
        f = np.maximum(density, 1e-300)
        entropy: Floats = -(np.maximum(density, 0.0) * np.log(f)).sum(axis=1) * self.spacing
        return entropy


@dataclass(frozen=True)
class Categories:
    """Categorical distributions of one dimension, mixed as the Gaussians of :class:`Mixture` are.

    Args:
        probabilities: of each component, (n, n_categories).
    """

    probabilities: Floats

    def entropies(self, group: NDArray[np.int64], n_groups: int) -> tuple[float, Floats]:
        """The entropy of the whole mixture and of the components of each group, in nats.

        Args:
            group: of each component, (n,), from 0 to ``n_groups - 1``, none empty.
            n_groups: their number.
        """
        sums = np.zeros((n_groups, self.probabilities.shape[1]))
        np.add.at(sums, group, self.probabilities)
        sizes = np.bincount(group, minlength=n_groups)
        whole = sums.sum(axis=0) / len(group)
        return float(entropy(whole)), entropy(sums / sizes[:, None], axis=1)
