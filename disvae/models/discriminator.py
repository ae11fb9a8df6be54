"""The discriminator of FactorVAE."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn


class Discriminator(nn.Sequential):
    """Tells codes of the aggregate posterior from codes with permuted dimensions: an MLP.

    Six hidden layers of 1000 units with leaky ReLU of slope 0.2, and two logits, in the order
    "joint", "permuted".

    Args:
        latent_dim: number of dimensions of the code.
        hidden_dim: units of each hidden layer.
        n_hidden: number of hidden layers.

    Raises:
        ValueError: later, codes of another number of dimensions.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983,
        appendix A.
    """

    def __init__(self, latent_dim: int, hidden_dim: int = 1000, n_hidden: int = 6) -> None:
        sizes = [latent_dim, *[hidden_dim] * n_hidden]
        layers: list[nn.Module] = []
        for i, o in pairwise(sizes):
            layers += [nn.Linear(i, o), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Linear(sizes[-1], 2))
        self.latent_dim = latent_dim

    def forward(self, z: Float[Tensor, "batch latent_dim"]) -> Float[Tensor, "batch 2"]:
        """The two logits of each code."""
        if z.shape[1] != self.latent_dim:
            raise ValueError(
                f"a discriminator of latent_dim={self.latent_dim} got codes of {z.shape[1]} "
                "dimensions: give the loss the model's latent_dim"
            )
        return super().forward(z)
