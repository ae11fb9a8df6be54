"""The loss of Hausdorff factorised support."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl, need_normal
from disvae.schedules import Weight, at_step


class HFSLoss(ELBOLoss):
    r"""Factorised support: every combination of values is possible, though not as probable.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + \beta\, KL(q(z|x) \| p(z)) + \gamma \sum_{i < j}
        \max_{a, b} \min_k \left[ (\mu_{a,i} - \mu_{k,i})^2 + (\mu_{b,j} - \mu_{k,j})^2 \right]

    over the posterior means μ of a batch. Where factors are correlated in the data, independent
    codes cannot be right, but codes can still fill the product of their ranges: the penalty, a
    squared Hausdorff distance in nats' stead, is 0 if each pair of values that some images have in
    dimensions i and j one image has in both. It shrinks with the codes, so that something must keep
    their scale: the KL does. Terms: ``objective, reconstruction, kl, support_distance``.
    β = 1 and γ = 0 is :class:`VAELoss`.

    Args:
        gamma: weight of the distance; the authors search from 0.1 to 10,000.
        beta: weight of the KL.

    Raises:
        ValueError: later, a code of one dimension, which has no pair.

    Reference:
        Disentanglement of Correlated Factors via Hausdorff Factorized Support, Roth et al. 2023,
        https://openreview.net/forum?id=OKcJhpQiGiX. Their code also draws pairs of dimensions and
        points at random, for speed; here are all of them.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> HFSLoss(gamma=100.0)(model, x).loss.backward()
    """

    def __init__(self, gamma: Weight = 100.0, beta: Weight = 1.0) -> None:
        super().__init__()
        self.gamma, self.beta = gamma, beta

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The weighted sum of the KL and the distance."""
        means = need_normal(posterior, "HFSLoss").mean
        kl = mean_kl(posterior, prior)
        distance = support_distance(means)
        penalty = at_step(self.beta, step) * kl + at_step(self.gamma, step) * distance
        return penalty, {"kl": kl, "support_distance": distance}


def support_distance(codes: Codes) -> Scalar:
    """The sum over pairs of dimensions of how far the emptiest combination is from any code.

    Args:
        codes: (batch, latent_dim), two dimensions at least.
    """
    if codes.shape[1] < 2:
        raise ValueError("factorised support needs codes of at least 2 dimensions, got 1")
    n = codes.shape[1]
    i, j = torch.triu_indices(n, n, offset=1, device=codes.device)
    with torch.no_grad():
        a, b, k = _emptiest(codes, i, j)
    return ((codes[a, i] - codes[k, i]).square() + (codes[b, j] - codes[k, j]).square()).sum()


def _emptiest(codes: Codes, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Per pair of dimensions: the combination farthest from all codes, and the nearest of these.

    Found without gradients: those of a maximum of minima are the gradients at the place of it.
    """
    n = len(codes)
    squared: Float[Tensor, "dim n n"] = (codes.T[:, :, None] - codes.T[:, None, :]).square()
    places = []
    for first, second in zip(squared[i], squared[j], strict=True):
        nearest = (first[:, None] + second).min(2)  # (a, b): over k
        place = nearest.values.argmax()
        places.append(torch.stack([place // n, place % n, nearest.indices.take(place)]))
    a, b, k = torch.stack(places).unbind(1)
    return a, b, k
