"""Images whose factors are correlated, from a data set where they are not."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.data.dataset import FactorDataset
from disvae.data.subset import FactorSubset


class CorrelatedFactors(FactorSubset):
    r"""Images of a data set, drawn so that pairs of its factors depend on one another.

    .. math::
        p(v) \propto \prod_{(i, j)} \exp\left(- \frac{(u_i - u_j)^2}{2 \sigma^2}\right)

    with :math:`u = v / (\text{size} - 1)`, each factor's value as a share of its range. In a
    complete grid all other factors stay independent. The images are drawn with replacement, once,
    with the seed: training, subsets and metrics on it all see the same dependent population.
    Nothing is copied.

    Args:
        dataset: images with factors.
        pairs: the names of the two factors of each pair. A factor in several pairs depends on each.
        sigma: width of the band along the diagonal, as a share of the range; infinity for none.
        n: how many images to draw; as many as the data set has if None.
        seed: which.

    Raises:
        ValueError: no pair, an unknown factor, the same one twice or one with a single value, a
            ``sigma`` that is not positive, or less than one image.

    Reference:
        On Disentangled Representations Learned from Correlated Data, Träuble et al. 2021,
        https://arxiv.org/abs/2006.07886, section 4; several pairs as in Disentanglement of
        Correlated Factors via Hausdorff Factorized Support, Roth et al. 2023,
        https://arxiv.org/abs/2210.07347.

    Example:
        >>> from disvae.data import Sprites
        >>> data = CorrelatedFactors(Sprites(), [("scale", "position_x")], sigma=0.2, n=10_000)
        >>> information = factor_information(data)  # scale has 1.79 nats
        >>> f"{information[1, 3]:.1f}, {information[1, 4]:.1f}"
        '0.5, 0.0'
    """

    def __init__(
        self,
        dataset: FactorDataset,
        pairs: Sequence[Sequence[str]],
        sigma: float = 0.2,
        n: int | None = None,
        seed: int = 0,
    ) -> None:
        n = len(dataset) if n is None else n
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        edges = correlation_weights(dataset, pairs, sigma).cumsum(0)
        generator = torch.Generator().manual_seed(seed)
        draws = torch.rand(n, generator=generator, dtype=torch.float64) * edges[-1]
        chosen = torch.searchsorted(edges, draws, right=True).clamp(max=len(dataset) - 1)
        super().__init__(dataset, chosen)


def correlation_weights(
    dataset: FactorDataset, pairs: Sequence[Sequence[str]], sigma: float
) -> Float[Tensor, " n"]:
    """How probable each image is under the correlation, up to a factor; see the class."""
    if not pairs or not sigma > 0:
        raise ValueError(f"expected a pair of factors and a positive sigma, got {pairs}, {sigma}")
    factors = dataset.factors(torch.arange(len(dataset)))
    exponent = torch.zeros(len(dataset), dtype=torch.float64)
    for pair in pairs:
        if isinstance(pair, str) or len(set(pair)) != 2:
            raise ValueError(f"expected pairs of two different factors, got {pair!r}")
        first, second = (_share(dataset, factors, name) for name in pair)
        exponent += (first - second) ** 2
    return torch.exp(-exponent / (2 * sigma**2))


def _share(dataset: FactorDataset, factors: Tensor, name: str) -> Float[Tensor, " n"]:
    column = dataset.space.position(name)
    if dataset.space.sizes[column] < 2:
        raise ValueError(f"the factor {name!r} has a single value, which depends on nothing")
    return factors[:, column].double() / (dataset.space.sizes[column] - 1)


def factor_information(dataset: FactorDataset) -> Float[Tensor, "n_factors n_factors"]:
    """How far the factors of a data set depend on one another.

    Returns:
        The mutual information of each two factors over the images, in nats, and the entropy of each
        on the diagonal. 0 off the diagonal in a complete grid; from n images drawn independently it
        is expected to be about (size_i - 1)(size_j - 1) / 2n.
    """
    factors, sizes = dataset.factors(torch.arange(len(dataset))), dataset.space.sizes
    table = torch.empty(len(sizes), len(sizes), dtype=torch.float64)
    for i, size in enumerate(sizes):
        for j in range(i + 1):
            cells = size * sizes[j]
            joint = torch.bincount(factors[:, i] * sizes[j] + factors[:, j], minlength=cells)
            share = joint.view(size, sizes[j]).double() / len(dataset)
            apart = share.sum(1, keepdim=True) * share.sum(0)
            table[i, j] = table[j, i] = torch.xlogy(share, share / apart.clamp(min=1e-300)).sum()
    return table
