"""The KL term of the ELBO: in closed form, and taken apart into its three summands."""

from disvae.divergence.closed_form import kl_per_dimension
from disvae.divergence.decomposition import KLDecomposition
from disvae.divergence.density_ratio import density_ratio, permute_dims
from disvae.divergence.exact import exact_decomposition
from disvae.divergence.minibatch import (
    ESTIMATORS,
    MinibatchStratified,
    MinibatchWeighted,
    decompose,
)

__all__ = [
    "ESTIMATORS",
    "KLDecomposition",
    "MinibatchStratified",
    "MinibatchWeighted",
    "decompose",
    "density_ratio",
    "exact_decomposition",
    "kl_per_dimension",
    "permute_dims",
]
