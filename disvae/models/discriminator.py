"""The discriminator of FactorVAE."""

from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from disvae.spec import Describable

_NORMALIZATIONS = {"none": None, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class Discriminator(Describable, nn.Sequential):
    """Tells codes of the aggregate posterior from codes with permuted dimensions: an MLP.

    By default the paper's: six hidden layers of 1000 units with leaky ReLU of slope 0.2, and two
    logits, in the order "joint", "permuted". In each hidden layer the order is linear,
    normalisation, leaky ReLU, dropout; what is not asked for is not there.

    Batch normalisation and dropout differ between ``train()`` and ``eval()``: losses train a
    discriminator on both kinds of codes in one batch, and read its estimate off with the running
    statistics and without dropout.

    Args:
        latent_dim: number of dimensions of the code.
        hidden_dim: units of each hidden layer.
        n_hidden: number of hidden layers; 0 makes it linear.
        normalization: of each hidden layer, before its activation.
        dropout: probability of dropping a hidden unit, after the activation.
        negative_slope: slope of the leaky ReLU below zero.

    Raises:
        ValueError: a size, a probability or a name out of range; later, codes of another number of
            dimensions.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        appendix A. The FactorVAE for ChestMNIST, https://github.com/3liFi/FactorVAE, has
        ``n_hidden=2, normalization="batch", dropout=0.3``.

    Example:
        >>> discriminator = Discriminator(latent_dim=10)
        >>> sum(p.numel() for p in discriminator.parameters())
        5018002
    """

    def __init__(
        self,
        latent_dim: int,
        hidden_dim: int = 1000,
        n_hidden: int = 6,
        normalization: Literal["none", "batch", "layer"] = "none",
        dropout: float = 0.0,
        negative_slope: float = 0.2,
    ) -> None:
        if latent_dim < 1 or hidden_dim < 1 or n_hidden < 0:
            raise ValueError(
                "expected latent_dim and hidden_dim of at least 1 and n_hidden of at least 0, got "
                f"latent_dim={latent_dim}, hidden_dim={hidden_dim}, n_hidden={n_hidden}"
            )
        if normalization not in _NORMALIZATIONS:
            raise ValueError(
                f"normalization must be one of {', '.join(_NORMALIZATIONS)}, got {normalization!r}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be a probability below 1, got {dropout}")
        if not 0 <= negative_slope < 1:
            raise ValueError(f"negative_slope must be from 0 to below 1, got {negative_slope}")
        normalize = _NORMALIZATIONS[normalization]
        sizes = [latent_dim, *[hidden_dim] * n_hidden]
        layers: list[nn.Module] = []
        for i, o in pairwise(sizes):
            layers.append(nn.Linear(i, o))
            if normalize:
                layers.append(normalize(o))
            layers.append(nn.LeakyReLU(negative_slope))
            if dropout:
                layers.append(nn.Dropout(dropout))
        super().__init__(*layers, nn.Linear(sizes[-1], 2))
        self.latent_dim = latent_dim

    is_chain = True  # its forward pass is that of nn.Sequential, after a check

    def forward(self, z: Float[Tensor, "batch latent_dim"]) -> Float[Tensor, "batch 2"]:
        """The two logits of each code."""
        if z.shape[1] != self.latent_dim:
            raise ValueError(
                f"a discriminator of latent_dim={self.latent_dim} got codes of {z.shape[1]} "
                "dimensions: give it the model's latent_dim (--loss.discriminator.latent_dim)"
            )
        return super().forward(z)
