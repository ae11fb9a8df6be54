"""An estimate of the KL decomposition from one minibatch, with most of its bias taken out."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from disvae.divergence.minibatch import MinibatchOfDataSet


@dataclass(frozen=True)
class MinibatchJackknife(MinibatchOfDataSet):
    r"""Stratified weights, and the jackknife against the bias of the logarithm.

    Row i weighs the image itself 1/N, as it is in the data set for certain, and the M - 1 others
    alike, each (1 - 1/N) / (M - 1). That estimates the density q(z) without bias, like
    :class:`MinibatchStratified`; but the logarithm of an unbiased estimate is too small on average,
    and over the marginals that adds up. How much too small, the batch itself can tell: with
    :math:`\hat q_{(j)}` the estimate that leaves image j out,

    .. math::
        \widehat{\log q}(z_i) = \log \hat q(z_i) - \Big(1 - \frac{M - 1}{N - 1}\Big) (M - 2)
        \Big( \frac{1}{M - 1} \sum_{j \ne i} \log \hat q_{(j)}(z_i) - \log \hat q(z_i) \Big)

    The first factor is for images drawn without replacement: a batch that is the whole data set
    gives the exact decomposition.

    Args:
        dataset_size: N, the number of images that the aggregate posterior averages over.

    Raises:
        ValueError: ``dataset_size`` is less than 1, or later less than a batch, or a batch of less
            than 3 images.

    Reference:
        Quenouille 1956, Notes on bias in estimation, https://doi.org/10.1093/biomet/43.3-4.353;
        for this estimate of q(z) we know of no earlier use.
    """

    def log_average(
        self, log_q: Float[Tensor, "batch batch *dims"]
    ) -> Float[Tensor, "batch *dims"]:
        """The log of the row's weighted sum, less the jackknife's estimate of its bias."""
        n, m = self.dataset_size, self._batch_size(log_q, at_least=3)
        weights = log_q.new_full((m, m), (1 - 1 / n) / (m - 1)).fill_diagonal_(1 / n)
        terms = log_q + weights.log().reshape(m, m, *[1] * (log_q.dim() - 2))
        log_mean = terms.logsumexp(1)
        if n == m:
            return log_mean
        share = (terms - log_mean.unsqueeze(1)).exp()  # (i, j, ...): of image j in q(z_i)
        own = share.diagonal(dim1=0, dim2=1).movedim(-1, 0).unsqueeze(1)
        rest = (1 - own - share).clamp(min=0) * ((m - 1) / (m - 2))
        # Not below what rounding leaves: one image may be all that there is of a density.
        without = (own + rest).clamp(min=torch.finfo(share.dtype).eps).log()
        others = without.sum(1) - without.diagonal(dim1=0, dim2=1).movedim(-1, 0)
        bias = (m - 2) / (m - 1) * others
        return log_mean - (1 - (m - 1) / (n - 1)) * bias
