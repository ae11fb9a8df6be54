"""A perceptual term beside a likelihood: the structural similarity."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.extras import need
from disvae.likelihoods.base import Images, Likelihood, aligned
from disvae.likelihoods.bernoulli import Bernoulli
from disvae.spec import Describable

_WINDOW = 11  # pixels a side, of a Gaussian of standard deviation 1.5


class StructuralSimilarity(Describable, nn.Module, Likelihood):
    r"""A likelihood, and a price on the structure that the mean image lacks.

    .. math:: -\log p(x|z) + w\, (1 - SSIM(E[x|z], x))

    The structural similarity compares means, variances and covariances under a window that moves
    over the two images, by torchmetrics: 1 for equal images, 0 for unrelated ones, -1 at the
    least. The sum is no log-likelihood, and can be compared only with itself.

    Args:
        base: the likelihood.
        weight: w, nats for an image without any similarity; the default is of the order of a
            cross-entropy of 28×28 pixels.

    Raises:
        ValueError: ``weight`` is negative; later, images of less than 11 pixels a side.
        MissingExtraError: if torchmetrics is not installed; later.

    Reference:
        Image Quality Assessment: From Error Visibility to Structural Similarity, Wang et al. 2004,
        https://doi.org/10.1109/TIP.2003.819861

    Example:
        >>> from disvae import BurgessVAE
        >>> model = BurgessVAE((1, 28, 28), likelihood=StructuralSimilarity(weight=50.0))
    """

    def __init__(self, base: Likelihood = Bernoulli(), weight: float = 100.0) -> None:  # noqa: B008
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight must not be negative, got {weight}")
        self.base, self.weight = base, weight

    def nll(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """That of the base, plus the weighted lack of similarity, of each image."""
        return self.base.nll(parameters, x) + self.weight * (1 - self.similarity(parameters, x))

    def mean(self, parameters: Images) -> Images:
        """That of the base."""
        return self.base.mean(parameters)

    def similarity(self, parameters: Images, x: Images) -> Float[Tensor, " batch"]:
        """SSIM of each mean image and the image."""
        need("ssim", "the structural similarity")
        from torchmetrics.functional.image import structural_similarity_index_measure

        mean, x = aligned(self.mean(parameters), x)
        if min(x.shape[2:]) < _WINDOW:
            raise ValueError(
                f"the structural similarity needs images of at least {_WINDOW} pixels a side, got "
                f"{x.shape[2]} x {x.shape[3]}"
            )
        # Variances are differences of near-equal numbers, which bfloat16 cannot hold.
        with torch.autocast(x.device.type, enabled=False):
            values = structural_similarity_index_measure(mean, x, data_range=1.0, reduction="none")
        return cast(Tensor, values).reshape(len(x))  # one image comes without its dimension
