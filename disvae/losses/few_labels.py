"""Any loss, with a few labelled images that say what the dimensions of the code stand for."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from disvae.losses.base import (
    Codes,
    Loss,
    LossOutput,
    Model,
    Scalar,
    Step,
    UnsuitableError,
    check_images,
    local,
    need_normal,
)
from disvae.losses.beta_vae import BetaVAEHLoss
from disvae.schedules import Weight, at_step
from disvae.tracing import is_traced

Supervision = Literal["cross-entropy", "squared-error"]
Targets = Float[Tensor, "labelled n_factors"]


class FewLabelsLoss(Loss):
    r"""Another loss plus a penalty on the codes of labelled images, in nats per image.

    .. math::
        \text{the loss} + w \cdot \frac{1}{m} \sum_i R(\mu(x_i), v_i), \quad
        R(\mu, v) = -\sum_k v_k \log s(\mu_k) + (1 - v_k) \log(1 - s(\mu_k))

    over the m labelled images of a batch, their posterior means μ and factors v scaled to [0, 1],
    with the logistic function s. Dimension k of the code is to encode factor k, and the others are
    free. "squared-error" has :math:`\sum_k (s(\mu_k) - v_k)^2` instead, not in nats. The batch is
    (images, labelled images, factors) as :class:`disvae.data.FewLabels` gives it; what stands
    before the last two goes to the other loss. Terms: its own, with ``objective`` the sum, and
    ``supervised``.

    Args:
        criterion: the other loss, which sees no labels; β-VAE with β = 4 if None.
        weight: w. The authors' code sums over the batch, so that its weight of 1 with batches of 64
            is 64 here; and it scales a factor of n values to [0, 1 − 1/n], where here it is [0, 1].
        supervision: "cross-entropy" or "squared-error".

    Raises:
        ValueError: an unknown supervision; later, more factors than dimensions, factors outside of
            [0, 1], or not as many of them as of labelled images.
        UnsuitableError: later, a batch that has no labelled images.

    Reference:
        Disentangling Factors of Variation Using Few Labels, Locatello et al. 2020,
        https://arxiv.org/abs/1905.01258, section 3.

    Example:
        >>> import torch
        >>> from disvae import BurgessVAE
        >>> model, x = BurgessVAE((1, 32, 32), latent_dim=4), torch.rand(8, 1, 32, 32)
        >>> labelled, factors = torch.rand(2, 1, 32, 32), torch.tensor([[0.0, 0.5], [1.0, 0.25]])
        >>> FewLabelsLoss()(model, (x, labelled, factors)).loss.backward()
    """

    def __init__(
        self,
        criterion: Loss | None = None,
        weight: Weight = 64.0,
        supervision: Supervision = "cross-entropy",
    ) -> None:
        super().__init__()
        if supervision not in get_args(Supervision):
            raise ValueError(f"supervision must be in {get_args(Supervision)}, got {supervision!r}")
        self.criterion = BetaVAEHLoss() if criterion is None else criterion
        self.weight, self.supervision = weight, supervision

    def forward(self, model: Model, batch: Sequence[Tensor], step: Step = None) -> LossOutput:
        """Compute the loss.

        Args:
            model: the VAE to train.
            batch: what the other loss takes, then labelled images in [0, 1], then their factors
                (labelled, n_factors), scaled to [0, 1].
            step: see :meth:`Loss.forward`.
        """
        if not isinstance(batch, (tuple, list)) or len(batch) < 3:
            kind = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else "a single batch"
            raise UnsuitableError(
                f"expected (images, labelled images, factors), got {kind}: train on "
                "disvae.data.FewLabels (--source on the command line)"
            )
        *unlabelled, labelled, factors = batch
        check_images(labelled)
        loss, terms = self.criterion(
            model, unlabelled[0] if len(unlabelled) == 1 else tuple(unlabelled), step
        )
        posterior = need_normal(local(model).encode(labelled), "FewLabelsLoss")
        supervised = self.regularizer(posterior.mean, factors)
        penalty = at_step(self.weight, step) * supervised
        objective = terms["objective"] + penalty.detach()
        terms = {**terms, "objective": objective, "supervised": supervised.detach()}
        return LossOutput(loss + penalty, terms)

    def regularizer(self, codes: Codes, factors: Targets) -> Scalar:
        """R of some codes, as the mean over them."""
        _check_factors(codes, factors)
        codes = codes[:, : factors.shape[1]]
        if self.supervision == "cross-entropy":
            each = binary_cross_entropy_with_logits(codes, factors.to(codes), reduction="none")
        else:
            each = (codes.sigmoid() - factors).square()
        return each.sum(1).mean()

    def parameter_groups(self, model: nn.Module, lr: float) -> list[dict[str, Any]]:
        """Those of the other loss."""
        return self.criterion.parameter_groups(model, lr)


def _check_factors(codes: Codes, factors: Tensor) -> None:
    """The values are looked at on the CPU alone, as :func:`check_images` does it."""
    n, latent_dim = codes.shape
    if factors.dim() != 2 or len(factors) != n or not factors.is_floating_point():
        raise ValueError(
            f"expected factors as floats of shape ({n}, n_factors), one row for each labelled "
            f"image, got {factors.dtype} of shape {tuple(factors.shape)}"
        )
    if factors.shape[1] > latent_dim:
        raise ValueError(
            f"each of {factors.shape[1]} factors needs a dimension of its own, but the code has "
            f"{latent_dim}: take a larger latent_dim (--model.latent_dim)"
        )
    if factors.device.type == "cpu" and not is_traced():
        low, high = torch.aminmax(factors)
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"expected factors scaled to [0, 1], got values from {low:g} to {high:g}: divide "
                "indices by their largest"
            )
