"""The loss of the cycle-consistent variational autoencoder."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.distributions import Normal

from disvae.divergence import kl_per_dimension
from disvae.losses.base import (
    Codes,
    Images,
    Loss,
    LossOutput,
    Scalar,
    Step,
    local,
    need_normal,
    objective,
)
from disvae.losses.group_vae import one_batch
from disvae.schedules import Weight, at_step


class CycleConsistentLoss(Loss):
    r"""Two parts of a code, of which one knows what two images share, and the other all else.

    The last ``specified`` dimensions are s, which pairs of images with the same label share; the
    others are z, with the prior N(0, I). s is the posterior's mean there: it has no noise, no KL,
    and its log-variance is never trained, so that draws and nats of s mean nothing. Two cycles
    teach the parts their places. Forward, images to codes to images: a pair swaps its s, and must
    be reconstructed nevertheless,

    .. math:: E_{q(z|x)}[-\log p(x \mid z, s(x'))] + \beta\, KL(q(z|x) \| p(z)),

    so that s holds what the label says at most. Reverse, codes to images to codes: one z of the
    prior is decoded with the s of two unrelated images, and must be found in both images again,

    .. math:: \lambda\, E_{z \sim p(z)} \| \mu_z(g(z, s(x_1))) - \mu_z(g(z, s(x_2))) \|_1,

    so that z holds nothing of what the label says. As in the authors' code this teaches the encoder
    to read images, not to make others: the images g (means) are given. The unrelated images are
    neighbours in the batch; those that happen to have one label do no harm.

    Terms: ``objective``, ``reconstruction`` and ``kl`` (of z), averaged over both images of the
    pairs, and ``reverse_cycle`` (the distance, summed over the dimensions of z).

    Args:
        specified: number of dimensions of s, the last ones of the code.
        beta: weight of the KL of z. The authors weigh the mean squared error by 2 and the KL,
            divided by the number of pixels, by 3: 1.5 for ``SquaredError()``.
        reverse: λ, weight of the reverse cycle, in nats per unit of z. The authors' 10 is not
            comparable: an optimiser of its own steps on it, to which it is next to nothing.

    Raises:
        ValueError: ``specified`` is less than 1; or later, a batch that is no pair, or a code
            without a dimension for z.

    Reference:
        Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders, Jha et
        al. 2018, https://arxiv.org/abs/1804.10469

    Example:
        >>> from disvae import BurgessVAE
        >>> model = BurgessVAE((1, 32, 32), latent_dim=8)
        >>> pair = torch.rand(4, 1, 32, 32), torch.rand(4, 1, 32, 32)
        >>> CycleConsistentLoss(specified=4)(model, pair).loss.backward()
    """

    def __init__(self, specified: int = 16, beta: Weight = 1.0, reverse: Weight = 30.0) -> None:
        if specified < 1:
            raise ValueError(f"specified must be at least 1, got {specified}")
        super().__init__()
        self.specified, self.beta, self.reverse = specified, beta, reverse

    def forward(self, model: Any, batch: Sequence[Images], step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: the VAE to train.
            batch: a pair of batches of images in [0, 1]; or more, of which each gives its s to the
                next, and the last to the first.
            step: see :meth:`Loss.forward`.
        """
        x, model = one_batch(batch), local(model)
        z, s = self._encode(model, x)
        n = len(batch[0])
        swapped = s.roll(n, 0)  # each image has that of its partner
        parameters = model.decode(torch.cat([z.rsample(), swapped], dim=1))
        reconstruction = model.likelihood.nll(parameters, x).mean()
        kl = kl_per_dimension(z, _first(model.prior, z.loc.shape[1])).sum(1).mean()
        distance = self.reverse_cycle(model, s[:n])
        penalty = at_step(self.beta, step) * kl + at_step(self.reverse, step) * distance
        return objective(reconstruction, penalty, {"kl": kl, "reverse_cycle": distance})

    def reverse_cycle(self, model: Any, s: Codes) -> Scalar:
        """How far the z that are found in images of one z and two s lie apart.

        Args:
            model: the model, whose decoder gets no gradient, and whose encoder none by way of s.
            s: the specified codes of some images, each of which is paired with the next.
        """
        prior = _first(model.prior, model.latent_dim - self.specified)
        z = prior.rsample(torch.Size((len(s),)))
        codes = torch.cat([torch.cat([z, s], 1), torch.cat([z, s.roll(1, 0)], 1)])
        with torch.no_grad():  # so that the way back is taught to the encoder alone
            images = model.likelihood.mean(model.decode(codes)).to(s.dtype)
            images = images.clamp(0, 1)  # a Gaussian's mean may lie outside
        found, _ = self._encode(model, images)
        first, second = found.loc.chunk(2)
        return (first - second).abs().sum(1).mean()

    def _encode(self, model: Any, x: Images) -> tuple[Normal, Codes]:
        """The posterior of z, and s."""
        posterior = need_normal(model.encode(x), "CycleConsistentLoss")
        n = posterior.loc.shape[1] - self.specified
        if n < 1:
            raise ValueError(
                f"of {posterior.loc.shape[1]} dimensions, specified={self.specified} leaves none "
                "for what the images of a pair do not share: give the model a larger latent_dim "
                "(--model.latent_dim)"
            )
        z = Normal(posterior.loc[:, :n], posterior.scale[:, :n], validate_args=False)
        return z, posterior.loc[:, n:]


def _first(prior: Any, n: int) -> Normal:
    """The prior of the first dimensions."""
    return Normal(prior.loc[:n], prior.scale[:n], validate_args=False)
