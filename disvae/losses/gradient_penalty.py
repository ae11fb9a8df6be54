"""The gradient penalty of WGAN-GP: a critic whose slope between real and generated images is 1."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "batch channels height width"]
Critic = Callable[[Images], Float[Tensor, " batch"]]


def gradient_penalty(critic: Critic, x: Images) -> Float[Tensor, ""]:
    r"""The mean over images of how far the critic's slope at each is from 1, squared.

    .. math:: E_x\left[ (\| \nabla_x D(x) \|_2 - 1)^2 \right]

    Its gradient for the critic's parameters is a second derivative; where gradients are switched
    off the value alone is computed.

    Args:
        critic: gives a number for each image that depends on no other image, so that no batch
            normalisation may be in it.
        x: where; detached here. For WGAN-GP points between real and generated images,
            :func:`between`.

    Reference:
        Improved Training of Wasserstein GANs, Gulrajani et al. 2017,
        https://arxiv.org/abs/1704.00028, equation 3.

    Example:
        >>> gradient_penalty(lambda x: 3 * x.flatten(1).sum(1), torch.rand(5, 1, 2, 2))
        tensor(25.)
    """
    trains = torch.is_grad_enabled()
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=trains)
    norm = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (norm - 1).square().mean()


def between(real: Images, fake: Images) -> Images:
    """A point on the line between each pair of a real and a generated image, uniformly drawn."""
    weight = torch.rand(len(real), 1, 1, 1, dtype=real.dtype, device=real.device)
    return torch.lerp(fake.detach(), real, weight)
