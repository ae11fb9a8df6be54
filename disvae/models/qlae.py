"""The quantised-latent autoencoder: every dimension of its code has a few values of its own."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from disvae.divergence.mixed import IMPOSSIBLE, MixedDistribution
from disvae.divergence.parameters import draw
from disvae.images import check_images
from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.burgess import burgess_networks
from disvae.models.latent import Codes, Columns, Images, LatentModel
from disvae.models.mixed import as_columns

N_VALUES = 10


class QLAEOutput(NamedTuple):
    """What one pass of a batch of images through a :class:`QLAE` gives.

    Attributes:
        posterior: the code of each image, of shape (batch, latent_dim), as a distribution that is
            certain of it.
        z: the codes, in the distribution's columns.
        parameters: the likelihood's parameters at the quantised values.
        encoded: what the encoder gives, (batch, latent_dim), before it is quantised.
        values: the values of the codebook nearest to it, with a gradient to the codebook.
    """

    posterior: MixedDistribution
    z: Columns
    parameters: Images
    encoded: Codes
    values: Codes


class QLAE(LatentModel):
    r"""An autoencoder whose code is quantised: to one of a few learned values in each dimension.

    .. math:: z_j = \arg\min_{v \in V_j} | f_j(x) - v |

    The decoder takes the values, and its gradient goes straight through to the encoder; the
    codebook learns from :class:`disvae.losses.QLAELoss` alone. That all combinations of so few
    values have to serve is what makes it use them in one way, and no noise or KL: the posterior is
    certain of one value. So a code here holds, like that of any categorical dimension, the number
    of the value, from 0 to ``n_values - 1`` in the order of the codebook, and the prior has all of
    them alike.

    Args:
        encoder: any module from images (batch, channels, height, width) to (batch, latent_dim).
        decoder: any module from (batch, latent_dim) to the likelihood's parameters, of the shape of
            the images.
        latent_dim: number of dimensions; the paper has twice as many as factors.
        n_values: values of each dimension. They start evenly spaced from -0.5 to 0.5.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: no dimension, or fewer than 2 values; later, an encoder's output or codes of
            another width.

    Reference:
        Disentanglement via Latent Quantization, Hsu et al. 2023, https://arxiv.org/abs/2305.18378

    Example:
        >>> encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> decoder = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> model = QLAE(encoder, decoder, latent_dim=3)
        >>> model.decode(model.represent(torch.rand(5, 1, 8, 8))).shape
        torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        n_values: int = N_VALUES,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        if latent_dim < 1 or n_values < 2:
            raise ValueError(
                "expected latent_dim of at least 1 and n_values of at least 2, got "
                f"{latent_dim} and {n_values}"
            )
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim
        self.n_values = n_values
        self.likelihood = likelihood
        self.codebook = nn.Parameter(torch.linspace(-0.5, 0.5, n_values).repeat(latent_dim, 1))

    @property
    def prior(self) -> MixedDistribution:
        """p(z), of shape (latent_dim,): all values alike."""
        return _certain(torch.zeros_like(self.codebook))

    def encode(self, x: Images) -> MixedDistribution:
        """The number of each value as a distribution, of shape (batch, latent_dim)."""
        return self._posterior(self._nearest(self._encoded(x)))

    def decode(self, z: Codes | Columns) -> Images:
        """The likelihood's parameters at codes, the numbers of values, or at columns."""
        blocks = as_columns(self, z).unflatten(-1, (self.latent_dim, self.n_values))
        return self.decoder((blocks * self.codebook).sum(-1))

    def forward(self, x: Images) -> QLAEOutput:
        """Encode ``x``, quantise it, and decode the values."""
        encoded = self._encoded(x)
        numbers = self._nearest(encoded)
        values = self.codebook.expand(len(x), -1, -1).gather(-1, numbers[..., None])[..., 0]
        through = encoded + (values - encoded).detach()
        z = F.one_hot(numbers, self.n_values).to(encoded).flatten(1)
        return QLAEOutput(self._posterior(numbers), z, self.decoder(through), encoded, values)

    def describe_posterior(self, x: Images) -> dict[str, Tensor]:
        """The numbers of the values."""
        return {"code": self._nearest(self.encoder(x)).to(self.codebook)}

    def represent(self, x: Images) -> Codes:
        """The representation of each image: the numbers of its values."""
        return self._nearest(self._encoded(x)).to(self.codebook)

    def draw(self, n: int, generator: torch.Generator | None = None) -> Codes:
        """``n`` codes drawn from the prior; see :meth:`LatentModel.draw`."""
        return self.prior.codes(draw(self.prior, n, generator))

    def _encoded(self, x: Images) -> Codes:
        check_images(x)
        encoded = self.encoder(x)
        if encoded.shape != (len(x), self.latent_dim):
            raise ValueError(
                f"the encoder must give (batch, latent_dim) = {(len(x), self.latent_dim)} numbers, "
                f"got shape {tuple(encoded.shape)}"
            )
        return encoded.to(self.codebook.dtype)

    def _nearest(self, encoded: Codes) -> Int[Tensor, "batch latent_dim"]:
        return (encoded.detach()[..., None] - self.codebook.detach()).abs().argmin(-1)

    def _posterior(self, numbers: Int[Tensor, "batch latent_dim"]) -> MixedDistribution:
        others = F.one_hot(numbers, self.n_values) == 0
        zeros = torch.zeros_like(self.codebook).expand(*others.shape)
        return _certain(zeros.masked_fill(others, IMPOSSIBLE))


class BurgessQLAE(QLAE):
    """A :class:`QLAE` with the network of :class:`BurgessVAE`, which is far smaller than its own.

    Args:
        image_shape: (channels, height, width).
        latent_dim: number of dimensions; twice the factors of dSprites.
        n_values: values of each dimension.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: as :class:`QLAE`, or an image shape that the network's rule does not cover.

    Reference: as :class:`QLAE`

    Example:
        >>> model = BurgessQLAE((1, 64, 64), latent_dim=10, n_values=10)
        >>> model.codebook.shape, model.columns
        (torch.Size([10, 10]), 100)
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        latent_dim: int = 10,
        n_values: int = N_VALUES,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        networks = burgess_networks(image_shape, latent_dim, latent_dim)
        super().__init__(*networks, latent_dim, n_values, likelihood)


def _certain(logits: Float[Tensor, "*batch latent_dim n_values"]) -> MixedDistribution:
    none = logits[..., 0][..., :0]
    normal = Normal(none, torch.ones_like(none), validate_args=False)
    return MixedDistribution(normal, logits.unbind(-2))
