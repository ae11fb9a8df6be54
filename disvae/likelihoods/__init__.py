"""Likelihoods p(x|z) of an image given a decoder's output: true densities, in nats per image."""

from disvae.likelihoods.base import Likelihood
from disvae.likelihoods.bernoulli import Bernoulli, ContinuousBernoulli
from disvae.likelihoods.gaussian import Gaussian, LearnedGaussian, SquaredError
from disvae.likelihoods.laplace import Laplace
from disvae.likelihoods.links import Sigmoid, Tanh
from disvae.likelihoods.logistic import DiscretizedLogistic
from disvae.likelihoods.ssim import StructuralSimilarity

__all__ = [
    "Bernoulli",
    "ContinuousBernoulli",
    "DiscretizedLogistic",
    "Gaussian",
    "Laplace",
    "LearnedGaussian",
    "Likelihood",
    "Sigmoid",
    "SquaredError",
    "StructuralSimilarity",
    "Tanh",
]
