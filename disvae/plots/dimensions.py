"""What the dimensions of a code are: how much each holds, of which factor, and their names."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from disvae.data import FactorDataset, ImageDataset
from disvae.divergence import information_per_dimension
from disvae.divergence.parameters import join
from disvae.metrics.arrays import check_arrays
from disvae.metrics.information import histogram_information
from disvae.models import LatentModel
from disvae.plots.style import FAINT
from disvae.training import Run, encode_posteriors, read_dimension_names

# Nats below which a dimension carries no information worth a label of its own.
COLLAPSED = 0.01

# Characters of a name that fit beside a row.
LINE = 16

# The part of a factor's entropy that a dimension must know to be called by its name.
KNOWN = 0.1


class Dimensions(NamedTuple):
    """The dimensions of a model's code.

    Attributes:
        kl: mean KL(q(z_j|x) ‖ p(z_j)), in nats; of a prior with bounds, see
            :func:`disvae.divergence.information_per_dimension`.
        called: the name that somebody gave each, or else the factor that it knows most of; "" where
            it knows of none.
        sizes: 1, or the number of categories of each; all continuous if empty.
    """

    kl: Float[Tensor, " latent_dim"]
    called: Sequence[str]
    sizes: Sequence[int] = ()

    def order(self, n: int | None = None) -> list[int]:
        """The ``n`` dimensions of the largest KL, the largest first; all if None.

        Raises:
            ValueError: ``n`` is less than 1.
        """
        if n is not None and n < 1:
            raise ValueError(f"expected at least 1 dimension, got {n}")
        return self.kl.argsort(descending=True)[:n].tolist()

    def label(self, j: int) -> str:
        """What stands beside the row of dimension ``j``."""
        size = self.sizes[j] if self.sizes else 1
        kinds = [f"{size} categories"] if size > 1 else []
        nats = f"{self.kl[j]:.2f} nats"
        return "\n".join([f"dimension {j}", *kinds, nats, *lines(self.called[j])])

    def colour(self, j: int) -> str:
        """Of that label: black, or grey if the dimension has collapsed."""
        return "black" if self.kl[j] > COLLAPSED else FAINT


def axis_label(j: int, called: Mapping[int, str]) -> str:
    """What stands at an axis of dimension ``j``: its symbol, below its name if it has one.

    Args:
        j: the dimension.
        called: the dimensions that have a name.
    """
    return "\n".join([*lines(called.get(j, "")), f"$z_{{{j}}}$"])


def lines(name: str) -> list[str]:
    """A name in short lines, as matplotlib is to be told it: a dollar sign begins no formula.

    Example:
        >>> lines("width of the left eyebrow")
        ['width of the', 'left eyebrow']
    """
    return [line.replace("$", r"\$") for line in wrap(name, LINE)]


def describe_run(run: Run, model: LatentModel, data: ImageDataset) -> Dimensions:
    """As :func:`describe_dimensions`, by the names that somebody gave the run's dimensions.

    Args:
        run: the run.
        model: its model, at whatever step.
        data: its images.
    """
    known, names = describe_dimensions(model, data), read_dimension_names(run.path)
    return known._replace(called=[names.get(j, factor) for j, factor in enumerate(known.called)])


def describe_dimensions(
    model: LatentModel, data: ImageDataset, n_images: int = 2000, seed: int = 0
) -> Dimensions:
    """The KL of each dimension, and the factor that it knows most of if the data has factors.

    What a dimension knows of a factor is their mutual information as a part of the factor's
    entropy, less what a histogram of so few samples finds in shuffled factors.

    Args:
        model: the model.
        data: the images.
        n_images: how many of them to measure on, at most.
        seed: draws the images.
    """
    generator = torch.Generator().manual_seed(seed)
    indices = torch.randperm(len(data), generator=generator)[:n_images]
    posterior = encode_posteriors(model, data, indices, progress=False)
    kl = information_per_dimension(posterior, join([model.prior])).mean(0)
    factors = [""] * model.latent_dim
    if isinstance(data, FactorDataset):
        factors = _best_factors(posterior.loc, data, indices, seed)
    names = [factor.replace("_", " ") for factor in factors]
    alive = [name if nats > COLLAPSED else "" for name, nats in zip(names, kl, strict=True)]
    return Dimensions(kl, alive, model.sizes)


def _best_factors(
    codes: Float[Tensor, "n latent_dim"], data: FactorDataset, indices: Tensor, seed: int
) -> list[str]:
    """The factor that each dimension knows most of."""
    factors = data.factors(indices).numpy()
    varying = np.flatnonzero((factors != factors[0]).any(0))
    if len(varying) == 0:
        return [""] * codes.shape[1]
    known = known_shares(codes, factors[:, varying], seed)
    names = [data.space.names[k] for k in varying]
    return [names[k] if known[k, j] > KNOWN else "" for j, k in enumerate(known.argmax(0))]


def known_shares(codes: Tensor, factors: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """What each dimension knows of each factor, as a part of the factor's entropy.

    Less what a histogram of so few samples finds in shuffled factors, and so perhaps below 0.

    Args:
        codes: (n, latent_dim).
        factors: (n, n_factors), of which each varies.
        seed: of the shuffle.

    Returns:
        (n_factors, latent_dim).
    """
    shuffled = np.random.default_rng(seed).permutation(factors)
    return _share(codes, factors) - _share(codes, shuffled)


def _share(codes: Tensor, factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """I(v_k; z_j) / H(v_k), (n_factors, latent_dim)."""
    information = histogram_information(check_arrays(codes, factors))
    share: NDArray[np.float64] = information.table / information.factor_entropy[:, None]
    return share
