"""The posteriors of several images as one, in the dimensions that they share."""

from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.distributions import Normal

from disvae.divergence import kl_per_dimension
from disvae.losses.base import Terms

# Of posteriors of shape (images, batch, latent_dim), the images of a group along the first axis:
Average = Callable[[Normal], Normal]  # one posterior for all, (batch, latent_dim)
# The dimensions that are shared, (latent_dim,) or (batch, latent_dim), and what to report of them.
Sharing = Callable[[Normal], tuple[Bool[Tensor, "... latent_dim"], Terms]]


def moment_average(posterior: Normal) -> Normal:
    """The Gaussian of the average mean and the average variance."""
    return _normal(posterior.mean.mean(0), posterior.variance.mean(0).sqrt())


def gaussian_product(posterior: Normal) -> Normal:
    """The product of the densities, normalised: precisions add up, and weigh the means."""
    least = posterior.scale.amin(0)
    weight = (least / posterior.scale).square()  # precisions, of which the largest is 1
    total = weight.sum(0)
    return _normal((weight * posterior.mean).sum(0) / total, least * total.rsqrt())


class LastDimensions:
    """The last dimensions of the code are shared by the images of every group.

    Args:
        n: how many.

    Raises:
        ValueError: less than 1, or later more than the code has.
    """

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError(f"specified must be at least 1 of the code's dimensions, got {n}")
        self.n = n

    def __call__(self, posterior: Normal) -> tuple[Bool[Tensor, " latent_dim"], Terms]:
        """The same dimensions for all groups."""
        latent_dim = posterior.loc.shape[-1]
        if self.n > latent_dim:
            raise ValueError(f"specified={self.n} dimensions of a code that has {latent_dim}")
        place = torch.arange(latent_dim, device=posterior.loc.device)
        return place >= latent_dim - self.n, {}


@torch.no_grad()
def similar_dimensions(posterior: Normal) -> tuple[Bool[Tensor, "batch latent_dim"], Terms]:
    """The dimensions in which the two posteriors of a pair are closer than halfway.

    Halfway between the closest and the farthest dimension of the pair; in symmetrised KL.

    Args:
        posterior: of shape (2, batch, latent_dim).

    Raises:
        ValueError: not two images to a group.
    """
    if len(posterior.loc) != 2:
        raise ValueError(
            "which dimensions are shared is found between two images, got groups of "
            f"{len(posterior.loc)}: take GVAELoss or MLVAELoss with known ones"
        )
    first, second = (
        _normal(mean, std) for mean, std in zip(posterior.loc, posterior.scale, strict=True)
    )
    distance = kl_per_dimension(first, second) + kl_per_dimension(second, first)
    low, high = distance.aminmax(dim=1, keepdim=True)
    shared = distance < (low + high) / 2
    return shared, {"shared_dimensions": shared.sum(1).to(distance.dtype).mean()}


def share(posterior: Normal, average: Average, sharing: Sharing) -> tuple[Normal, Terms]:
    """The posteriors with their average in the dimensions that are shared.

    No gradient asks which these are.

    Args:
        posterior: of shape (images, batch, latent_dim).
        average: of the images' posteriors.
        sharing: says which dimensions, and what to report of them.
    """
    shared, terms = sharing(posterior)
    joint = average(posterior)
    mean = torch.where(shared, joint.loc, posterior.loc)
    return _normal(mean, torch.where(shared, joint.scale, posterior.scale)), terms


def each_moment(posterior: Normal, change: Callable[[Tensor], Tensor]) -> Normal:
    """The Gaussian with its means and standard deviations changed, such as in their shape."""
    return _normal(change(posterior.loc), change(posterior.scale))


def _normal(mean: Tensor, std: Tensor) -> Normal:
    return Normal(mean, std, validate_args=False)
