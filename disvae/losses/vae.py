"""The loss of the variational autoencoder."""

from disvae.losses.weighted import WeightedLoss


class VAELoss(WeightedLoss):
    r"""The negative ELBO, in nats per image.

    .. math:: E_{q(z|x)}[-\log p(x|z)] + KL(q(z|x) \| p(z))

    Terms: ``objective, reconstruction, kl``.

    Reference:
        Auto-Encoding Variational Bayes, Kingma and Welling 2014, https://arxiv.org/abs/1312.6114

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE, VAELoss
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> sorted(VAELoss()(model, x).terms)
        ['kl', 'objective', 'reconstruction']
    """

    def __init__(self) -> None:
        super().__init__()
