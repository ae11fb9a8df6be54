"""The variational autoencoder: an encoder, a decoder, and the probability that joins them."""

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from disvae.images import check_images
from disvae.likelihoods import Bernoulli, Likelihood
from disvae.models.latent import Codes, Images, LatentModel


class VAE(LatentModel):
    """A variational autoencoder with the prior N(0, I) and a Gaussian posterior.

    Args:
        encoder: any module from images (batch, channels, height, width) to (batch,
            2·latent_dim): the posterior's means, then its log-variances.
        decoder: any module from codes (batch, latent_dim) to the likelihood's parameters, of the
            shape of the images; logits for a Bernoulli, without a sigmoid.
        latent_dim: number of dimensions of the code.
        likelihood: p(x|z), what the decoder's output means.

    Raises:
        ValueError: ``latent_dim`` is less than 1, or later the encoder's output has another shape.

    Reference:
        Auto-Encoding Variational Bayes, Kingma and Welling 2014, https://arxiv.org/abs/1312.6114

    Example:
        >>> encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 6))
        >>> decoder = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> model = VAE(encoder, decoder, latent_dim=3)
        >>> model(torch.rand(5, 1, 8, 8)).z.shape
        torch.Size([5, 3])
    """

    _zeros: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        latent_dim: int,
        likelihood: Likelihood = Bernoulli(),  # noqa: B008  frozen: safe to share
    ) -> None:
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        # Only so that the prior follows the model to its device and type.
        self.register_buffer("_zeros", torch.zeros(latent_dim), persistent=False)

    @property
    def prior(self) -> Normal:
        """p(z) = N(0, I), of shape (latent_dim,)."""
        return Normal(self._zeros, torch.ones_like(self._zeros), validate_args=False)

    def encode(self, x: Images) -> Normal:
        """The posterior q(z|x), of shape (batch, latent_dim), in the prior's precision."""
        check_images(x)
        moments = self.encoder(x)
        if moments.shape != (len(x), 2 * self.latent_dim):
            raise ValueError(
                f"the encoder must give (batch, 2·latent_dim) = {(len(x), 2 * self.latent_dim)} "
                f"numbers, got shape {tuple(moments.shape)}"
            )
        mean, log_var = moments.to(self._zeros.dtype).chunk(2, dim=1)
        return Normal(mean, (0.5 * log_var).exp(), validate_args=False)

    def describe_posterior(self, x: Images) -> dict[str, Tensor]:
        """Means and log-variances; not by standard deviations, of which the smallest are 0."""
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        return {"mean": mean, "log_var": log_var}

    def decode(self, z: Codes) -> Images:
        """The likelihood's parameters at ``z``: logits for a Bernoulli."""
        return self.decoder(z)

    def represent(self, x: Images) -> Codes:
        """The representation of each image: its posterior mean."""
        return self.encode(x).mean

    def draw(self, n: int, generator: torch.Generator | None = None) -> Codes:
        """``n`` codes drawn from the prior; see :meth:`LatentModel.draw`."""
        return torch.randn(n, self.latent_dim, generator=generator).to(self._zeros)
