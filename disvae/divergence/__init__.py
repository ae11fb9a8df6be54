"""The KL term of the ELBO: in closed form, and taken apart into its three summands."""

from disvae.divergence.adversarial import AdversarialEstimator, PermutedRatio, PriorRatio
from disvae.divergence.bounded import information_per_dimension
from disvae.divergence.closed_form import kl_per_dimension
from disvae.divergence.decomposition import KLDecomposition
from disvae.divergence.density_ratio import density_ratio, permute_dims
from disvae.divergence.estimators import ESTIMATORS, decompose
from disvae.divergence.exact import (
    MeasuredDecomposition,
    exact_decomposition,
    measure_decomposition,
)
from disvae.divergence.jackknife import MinibatchJackknife
from disvae.divergence.minibatch import (
    BatchEstimate,
    Estimator,
    MinibatchStratified,
    MinibatchWeighted,
)
from disvae.divergence.mixed import MixedDistribution
from disvae.divergence.mmd import maximum_mean_discrepancy
from disvae.divergence.parameters import draw, map_parameters, sizes_of, standard_prior

__all__ = [
    "AdversarialEstimator",
    "BatchEstimate",
    "ESTIMATORS",
    "Estimator",
    "KLDecomposition",
    "MeasuredDecomposition",
    "MinibatchJackknife",
    "MinibatchStratified",
    "MinibatchWeighted",
    "MixedDistribution",
    "PermutedRatio",
    "PriorRatio",
    "decompose",
    "density_ratio",
    "draw",
    "exact_decomposition",
    "information_per_dimension",
    "kl_per_dimension",
    "map_parameters",
    "maximum_mean_discrepancy",
    "measure_decomposition",
    "permute_dims",
    "sizes_of",
    "standard_prior",
]
