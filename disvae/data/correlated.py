"""Images whose factors are correlated, from a data set where they are not."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disvae.data.dataset import FactorDataset, Images
from disvae.data.factors import as_indices


class CorrelatedFactors(FactorDataset):
    r"""Images of a data set, drawn so that two of its factors depend on one another.

    .. math:: p(v_1, v_2) \propto \exp\left(- \frac{(u_1 - u_2)^2}{2 \sigma^2}\right)

    with :math:`u = v / (\text{size} - 1)`, each factor's value as a share of its range. In a
    complete grid all other factors stay independent. The images are drawn with replacement, once,
    with the seed: training, subsets and metrics on it all see the same dependent population.
    Nothing is copied.

    Args:
        dataset: images with factors.
        first: name of one factor.
        second: name of the other.
        sigma: width of the band along the diagonal, as a share of the range; infinity for none.
        n: how many images to draw; as many as the data set has if None.
        seed: which.

    Raises:
        ValueError: an unknown factor, the same one twice or one with a single value, a ``sigma``
            that is not positive, or less than one image.

    Reference:
        On Disentangled Representations Learned from Correlated Data, Träuble et al. 2021,
        https://arxiv.org/abs/2006.07886, section 4.

    Example:
        >>> from disvae.data import Sprites
        >>> data = CorrelatedFactors(Sprites(), "scale", "position_x", sigma=0.2, n=10_000)
        >>> table = data.factors(range(10_000)).double()
        >>> bool(torch.corrcoef(table[:, [1, 3]].T)[0, 1] > 0.6)
        True
    """

    def __init__(
        self,
        dataset: FactorDataset,
        first: str,
        second: str,
        sigma: float = 0.2,
        n: int | None = None,
        seed: int = 0,
    ) -> None:
        n = len(dataset) if n is None else n
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        self.dataset = dataset
        self.image_shape, self.max_value = dataset.image_shape, dataset.max_value
        self.space = dataset.space
        weights = correlation_weights(dataset, first, second, sigma)
        generator = torch.Generator().manual_seed(seed)
        edges = weights.double().cumsum(0)
        draws = torch.rand(n, generator=generator, dtype=torch.float64) * edges[-1]
        self.chosen = torch.searchsorted(edges, draws, right=True).clamp(max=len(dataset) - 1)

    def __len__(self) -> int:
        return len(self.chosen)

    def images(self, indices: object) -> Images:
        """The images of some indices."""
        return self.dataset.images(self.chosen[as_indices(indices, len(self))])

    def factors(self, indices: object) -> Int[Tensor, "n n_factors"]:
        """The factors of some indices."""
        return self.dataset.factors(self.chosen[as_indices(indices, len(self))])


def correlation_weights(
    dataset: FactorDataset, first: str, second: str, sigma: float
) -> Float[Tensor, " n"]:
    """How probable each image is under the correlation, up to a factor; see the class."""
    if first == second or not sigma > 0:
        raise ValueError(
            f"expected two different factors and a positive sigma, got {first!r}, {second!r} and "
            f"sigma={sigma}"
        )
    space, factors = dataset.space, dataset.factors(torch.arange(len(dataset)))
    shares = []
    for name in (first, second):
        column = space.position(name)
        if space.sizes[column] < 2:
            raise ValueError(f"the factor {name!r} has a single value, which depends on nothing")
        shares.append(factors[:, column].double() / (space.sizes[column] - 1))
    return torch.exp(-((shares[0] - shares[1]) ** 2) / (2 * sigma**2))
