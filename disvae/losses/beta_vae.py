"""The losses called β-VAE: a heavier KL, a KL held at a capacity, and a lighter one."""

from torch.distributions import Distribution

from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, mean_kl
from disvae.losses.weighted import WeightedLoss
from disvae.schedules import Linear, Weight, at_step


class BetaVAEHLoss(WeightedLoss):
    r"""β-VAE of Higgins et al.: the KL term weighs β, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \beta\, KL(q(z|x) \| p(z))

    All three terms of the KL are penalised alike, so that β > 1 also costs mutual information.
    Terms: ``objective, reconstruction, kl``. β = 1 is :class:`VAELoss`.

    Args:
        beta: weight of the KL; 4 is the usual one for dSprites.

    Reference:
        β-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework,
        Higgins et al. 2017, https://openreview.net/forum?id=Sy2fzU9gl

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, BetaVAEHLoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> BetaVAEHLoss(beta=4.0)(model, x).loss.backward()
    """

    def __init__(self, beta: Weight = 4.0) -> None:
        super().__init__(alpha=beta)
        self.beta = beta


class BetaVAEBLoss(WeightedLoss):
    r"""β-VAE of Burgess et al.: the KL term is held at a growing capacity, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \gamma\, | KL(q(z|x) \| p(z)) - C |

    The KL inside the bars is the mean over the batch, as in the paper; some implementations take
    the mean of ``|KL - C|`` over the images, which also makes every image cost the same. Terms:
    ``objective, reconstruction, kl``. γ = 1 and C = 0 is :class:`VAELoss`.

    Args:
        gamma: weight of the distance from the capacity.
        capacity: C in nats; the paper raises it from 0 to 25 over 100,000 steps.

    Reference:
        Understanding disentangling in β-VAE, Burgess et al. 2018,
        https://arxiv.org/abs/1804.03599, equation 8.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, BetaVAEBLoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> BetaVAEBLoss(gamma=100.0)(model, x, 5_000).loss.backward()  # at step 5,000: C = 1.25
    """

    def __init__(
        self,
        gamma: Weight = 1000.0,
        capacity: Weight = Linear(0.0, 25.0, steps=100_000),  # noqa: B008  frozen
    ) -> None:
        super().__init__(alpha=gamma, capacity=capacity)
        self.gamma = gamma


class BetaVAEScaledLoss(ELBOLoss):
    r"""β-VAE with the KL scaled down by the size of the data set, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + \beta\, \frac{P M}{N}\, KL(q(z|x) \| p(z))

    for P pixel values an image, M images a batch and N in the data set. Implementations that
    average the cross-entropy over the pixels and weigh the KL by M / N ask for this, with β < 1;
    times P it is the sum over pixels that all losses here have. It is :class:`BetaVAEHLoss` with
    β·P·M / N, 0.33 for batches of 256 of the 60,000 images of Fashion-MNIST at β = 0.1: far less
    a scaling down than it looks. Terms: ``objective, reconstruction, kl``.

    Args:
        dataset_size: N, number of images in the whole training set.
        beta: weight of the KL before it is scaled.
        n_pixels: P, pixel values of an image; 784 for Fashion-MNIST. 1 for an implementation that
            sums over the pixels, but scales the KL nevertheless.

    Raises:
        ValueError: ``dataset_size`` or ``n_pixels`` is less than 1.

    Reference:
        The weighting is that of https://github.com/AxelNathanson/pytorch-Variational-Autoencoder
        for Fashion-MNIST.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 28, 28), latent_dim=3), torch.rand(8, 1, 28, 28)
        >>> BetaVAEScaledLoss(dataset_size=60_000)(model, x).loss.backward()
    """

    def __init__(self, dataset_size: int, beta: Weight = 0.1, n_pixels: int = 784) -> None:
        super().__init__()
        if dataset_size < 1 or n_pixels < 1:
            raise ValueError(
                "dataset_size and n_pixels must be at least 1, got "
                f"dataset_size={dataset_size}, n_pixels={n_pixels}"
            )
        self.dataset_size, self.beta, self.n_pixels = dataset_size, beta, n_pixels

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The scaled KL term."""
        kl = mean_kl(posterior, prior)
        scale = self.n_pixels * len(z) / self.dataset_size
        return at_step(self.beta, step) * scale * kl, {"kl": kl}
