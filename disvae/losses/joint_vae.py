"""The loss of JointVAE: a capacity for continuous dimensions and one for categorical ones."""

import math

from torch import Tensor
from torch.distributions import Distribution

from disvae.divergence import kl_per_dimension, sizes_of
from disvae.losses.base import Codes, ELBOLoss, Scalar, Step, Terms, UnsuitableError
from disvae.schedules import Linear, Weight, at_step


class JointVAELoss(ELBOLoss):
    r"""JointVAE: the KLs of both kinds of dimensions are held at growing capacities of their own.

    .. math::
        E_{q(z|x)}[-\log p(x|z)] + \gamma\, | KL_{cont} - C_{cont} |
        + \gamma\, | KL_{disc} - C_{disc} |

    in nats per image. With one capacity for all (:class:`BetaVAEBLoss`) a model may leave its
    categorical dimensions unused, since a Gaussian one can hold more; this makes it use both. The
    categorical capacity ends at what these dimensions can hold, the sum of the logarithms of their
    numbers of categories, at the most. Terms: ``objective, reconstruction, kl, kl_continuous,
    kl_discrete``.

    Args:
        gamma: weight of the distances from the capacities; 150 for dSprites in the author's code,
            30 for MNIST.
        continuous_capacity: nats of all continuous dimensions together; 0 to 40 over 300,000 steps
            for dSprites, 0 to 5 over 25,000 for MNIST.
        discrete_capacity: nats of all categorical dimensions together; 0 to 1.1 over 300,000 steps
            for dSprites, 0 to 5 over 25,000 for MNIST.

    Raises:
        UnsuitableError: later, a model without categorical dimensions.

    Reference:
        Learning Disentangled Joint Continuous and Discrete Representations, Dupont 2018,
        https://arxiv.org/abs/1804.00104, equation 7; numbers from
        https://github.com/Schlumberger/joint-vae

    Example:
        >>> import torch
        >>> from disvae.models import BurgessMixedVAE
        >>> model, x = BurgessMixedVAE((1, 32, 32)), torch.rand(8, 1, 32, 32)
        >>> JointVAELoss()(model, x, 5_000).loss.backward()
    """

    def __init__(
        self,
        gamma: Weight = 150.0,
        continuous_capacity: Weight = Linear(0.0, 40.0, steps=300_000),  # noqa: B008  frozen
        discrete_capacity: Weight = Linear(0.0, 1.1, steps=300_000),  # noqa: B008  frozen
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.continuous_capacity = continuous_capacity
        self.discrete_capacity = discrete_capacity

    def regularizer(
        self, posterior: Distribution, z: Codes, prior: Distribution, step: Step
    ) -> tuple[Scalar, Terms]:
        """The weighted distances of the two KLs from their capacities."""
        categories = [n for n in sizes_of(prior) if n > 1]
        if not categories:
            raise UnsuitableError(
                "JointVAELoss needs categorical dimensions, as a MixedVAE has them: take "
                "BetaVAEBLoss for a model without any"
            )
        per_dimension = kl_per_dimension(posterior, prior).mean(0)
        continuous, discrete = (
            part.sum() for part in per_dimension.tensor_split([-len(categories)])
        )
        most = math.fsum(math.log(n) for n in categories)
        capacity = at_step(self.discrete_capacity, step)
        capacity = capacity.clamp(max=most) if isinstance(capacity, Tensor) else min(capacity, most)
        distance = (continuous - at_step(self.continuous_capacity, step)).abs()
        penalty = at_step(self.gamma, step) * (distance + (discrete - capacity).abs())
        kl = continuous + discrete
        return penalty, {"kl": kl, "kl_continuous": continuous, "kl_discrete": discrete}
