"""Variational autoencoders whose codes have continuous and categorical dimensions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from disvae.divergence.mixed import MixedDistribution
from disvae.divergence.parameters import draw
from disvae.images import check_images
from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.burgess import burgess_networks
from disvae.models.kim import kim_networks
from disvae.models.latent import Codes, Columns, Images, LatentModel

CATEGORIES = (3,)  # dSprites' shapes
TEMPERATURE = 0.67


class MixedVAE(LatentModel):
    r"""A VAE of which some dimensions are Gaussian and the others categorical.

    .. math:: q(z|x) = \prod_j N(z_j; \mu_j(x), \sigma_j^2(x)) \, \prod_k Cat(z_k; \pi_k(x))

    The prior is N(0, I) and, for a categorical dimension, the same probability for each category. A
    code has ``latent_dim`` numbers, the categorical ones last, and in these the number of the
    category; the decoder takes a one-hot block for each of them, ``columns`` numbers in all. Codes
    are drawn in columns, by straight-through Gumbel-softmax
    (:class:`disvae.divergence.MixedDistribution`), and a discriminator sees them so too:
    ``FactorVAELoss(latent_dim=model.columns)``.

    Args:
        encoder: any module from images (batch, channels, height, width) to (batch, 2·n_continuous +
            Σ categories): means, log-variances, and the logits of one categorical dimension after
            the other.
        decoder: any module from (batch, n_continuous + Σ categories) to the likelihood's
            parameters, of the shape of the images.
        n_continuous: number of Gaussian dimensions; they may be none.
        categories: the number of categories of each categorical dimension.
        likelihood: p(x|z), what the decoder's output means.
        temperature: of the gradient that goes through a drawn category.

    Raises:
        ValueError: no dimension, a categorical one of fewer than 2 categories, or a temperature
            that is not positive; later, an encoder's output or codes of another width.

    Reference:
        Learning Disentangled Joint Continuous and Discrete Representations, Dupont 2018,
        https://arxiv.org/abs/1804.00104, with soft draws of the same temperature to the decoder;
        Categorical Reparameterization with Gumbel-Softmax, Jang et al. 2017,
        https://arxiv.org/abs/1611.01144, for the straight-through ones.

    Example:
        >>> encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2 * 2 + 3))
        >>> decoder = nn.Sequential(nn.Linear(2 + 3, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> model, x = MixedVAE(encoder, decoder, n_continuous=2), torch.rand(5, 1, 8, 8)
        >>> model.represent(x).shape, model(x).z.shape
        (torch.Size([5, 3]), torch.Size([5, 5]))
    """

    _zeros: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        n_continuous: int,
        categories: Sequence[int] = CATEGORIES,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
        temperature: float = TEMPERATURE,
    ) -> None:
        check_dimensions(n_continuous, categories, temperature)
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = n_continuous + len(categories)
        self.n_continuous = n_continuous
        self.categories = tuple(categories)
        self.likelihood = likelihood
        self.temperature = temperature
        # Only so that the prior follows the model to its device and type.
        zeros = torch.zeros(n_continuous + sum(categories))
        self.register_buffer("_zeros", zeros, persistent=False)

    @property
    def prior(self) -> MixedDistribution:
        """p(z), of shape (latent_dim,)."""
        zeros, *logits = self._zeros.split([self.n_continuous, *self.categories])
        normal = Normal(zeros, torch.ones_like(zeros), validate_args=False)
        return MixedDistribution(normal, logits, self.temperature)

    def encode(self, x: Images) -> MixedDistribution:
        """The posterior q(z|x), of shape (batch, latent_dim), in the prior's precision."""
        check_images(x)
        n = self.n_continuous
        moments = self.encoder(x)
        expected = (len(x), 2 * n + sum(self.categories))
        if moments.shape != expected:
            raise ValueError(
                f"the encoder must give (batch, 2·n_continuous + Σ categories) = {expected} "
                f"numbers, got shape {tuple(moments.shape)}"
            )
        parts = moments.to(self._zeros.dtype).split([n, n, *self.categories], dim=1)
        normal = Normal(parts[0], (0.5 * parts[1]).exp(), validate_args=False)
        return MixedDistribution(normal, parts[2:], self.temperature)

    def decode(self, z: Codes | Columns) -> Images:
        """The likelihood's parameters at codes, or at columns, as they are drawn: told by width."""
        return self.decoder(as_columns(self, z))

    def describe_posterior(self, x: Images) -> dict[str, Tensor]:
        """The moments of continuous dimensions, and the logits of each categorical one."""
        n = self.n_continuous
        mean, log_var, *logits = self.encoder(x).split([n, n, *self.categories], dim=1)
        moments = {"mean": mean, "log_var": log_var} if n else {}
        names = [f"logits_{j}" for j in self.discrete]
        return moments | dict(zip(names, logits, strict=True))

    def represent(self, x: Images) -> Codes:
        """The representation of each image: means, and the most probable categories."""
        return self.encode(x).loc

    def draw(self, n: int, generator: torch.Generator | None = None) -> Codes:
        """``n`` codes drawn from the prior; see :meth:`LatentModel.draw`."""
        return self.prior.codes(draw(self.prior, n, generator))


class BurgessMixedVAE(MixedVAE):
    """A :class:`MixedVAE` with the network of :class:`BurgessVAE`.

    Args:
        image_shape: (channels, height, width).
        n_continuous: number of Gaussian dimensions; 6 in Dupont's model of dSprites.
        categories: the number of categories of each categorical dimension; 3 there.
        likelihood: p(x|z), what the decoder's output means.
        temperature: of the gradient that goes through a drawn category.

    Raises:
        ValueError: as :class:`MixedVAE`, or an image shape that the network's rule does not cover.

    Reference: as :class:`MixedVAE`

    Example:
        >>> model = BurgessMixedVAE((1, 64, 64), n_continuous=6, categories=(3,))
        >>> model.latent_dim, model.columns, model.discrete
        (7, 9, (6,))
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_continuous: int = 6,
        categories: Sequence[int] = CATEGORIES,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
        temperature: float = TEMPERATURE,
    ) -> None:
        check_dimensions(n_continuous, categories, temperature)
        n = sum(categories)
        networks = burgess_networks(image_shape, 2 * n_continuous + n, n_continuous + n)
        super().__init__(*networks, n_continuous, categories, likelihood, temperature)


class KimMixedVAE(MixedVAE):
    """A :class:`MixedVAE` with the network of :class:`KimVAE`.

    Args:
        image_shape: (channels, height, width).
        n_continuous: number of Gaussian dimensions.
        categories: the number of categories of each categorical dimension.
        hidden_dim: units of the fully connected layers.
        likelihood: p(x|z), what the decoder's output means.
        temperature: of the gradient that goes through a drawn category.

    Raises:
        ValueError: as :class:`MixedVAE`, or an image shape that the network's rule does not cover.

    Reference: as :class:`MixedVAE`

    Example:
        >>> KimMixedVAE((1, 64, 64), n_continuous=6, categories=(3, 2)).latent_dim
        8
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        n_continuous: int = 6,
        categories: Sequence[int] = CATEGORIES,
        hidden_dim: int = 128,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
        temperature: float = TEMPERATURE,
    ) -> None:
        check_dimensions(n_continuous, categories, temperature)
        n = sum(categories)
        networks = kim_networks(image_shape, 2 * n_continuous + n, n_continuous + n, hidden_dim)
        super().__init__(*networks, n_continuous, categories, likelihood, temperature)


def check_dimensions(n_continuous: int, categories: Sequence[int], temperature: float) -> None:
    """Refuse dimensions that there cannot be, before networks are made for them."""
    if n_continuous < 0 or n_continuous + len(categories) < 1:
        raise ValueError(
            "expected at least 1 dimension, got "
            f"n_continuous={n_continuous} and categories={tuple(categories)}"
        )
    if any(n < 2 for n in categories):
        raise ValueError(f"expected at least 2 categories each, got {tuple(categories)}")
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")


def as_columns(model: LatentModel, z: Codes | Columns) -> Columns:
    """Codes, or columns already, as columns: the width tells which they are.

    Raises:
        ValueError: it is neither width.
    """
    if z.shape[-1] == model.columns:
        return z
    if z.shape[-1] != model.latent_dim:
        raise ValueError(
            f"expected codes of {model.latent_dim} dimensions or {model.columns} columns, got "
            f"shape {tuple(z.shape)}"
        )
    prior: MixedDistribution = model.prior  # type: ignore[assignment]
    return prior.columns(z)
