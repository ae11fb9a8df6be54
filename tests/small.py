"""Models of two linear layers for 8×8 images, whose codes are not Gaussian."""

from torch import nn

from disvae.models import QLAE, MixedVAE

N_PIXELS, SHAPE = 64, (1, 8, 8)


def networks(n_outputs: int, n_inputs: int) -> tuple[nn.Module, nn.Module]:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(N_PIXELS, n_outputs))
    decoder = nn.Sequential(nn.Linear(n_inputs, N_PIXELS), nn.Unflatten(1, SHAPE))
    return encoder, decoder


def small_mixed(n_continuous: int = 2, categories: tuple[int, ...] = (3, 2)) -> MixedVAE:
    n = sum(categories)
    return MixedVAE(*networks(2 * n_continuous + n, n_continuous + n), n_continuous, categories)


def small_qlae(latent_dim: int = 3, n_values: int = 4) -> QLAE:
    return QLAE(*networks(latent_dim, latent_dim), latent_dim, n_values)
