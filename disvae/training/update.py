"""The update of the weights: scheduled learning rates and bounded gradients."""

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from disvae.schedules import Weight, at_step


class Update:
    """One step of an optimiser, as a function of the step's number.

    Args:
        optimizer: its parameter groups have the learning rates that the factor multiplies; the
            first is the model's.
        lr_factor: what multiplies all learning rates at a step.
        max_gradient: the largest norm of each group's gradient, to which a larger one is scaled
            down; the model's and its opponent's are bounded apart. None for no bound.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, lr_factor: Weight, max_gradient: float | None
    ) -> None:
        self._optimizer = optimizer
        self._rates = [group["lr"] for group in optimizer.param_groups]
        self._factor, self._max_gradient = lr_factor, max_gradient

    def __call__(self, step: int) -> dict[str, Tensor]:
        """Update the weights.

        Returns:
            ``gradient_norm``, of the model before it was bounded, if there is a bound.
        """
        if not isinstance(self._factor, (int, float)) or self._factor != 1:
            factor = float(at_step(self._factor, step))
            for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
                group["lr"] = factor * rate
        terms = {}
        if self._max_gradient is not None:
            groups = [group["params"] for group in self._optimizer.param_groups]
            norms = [clip_grad_norm_(parameters, self._max_gradient) for parameters in groups]
            terms["gradient_norm"] = norms[0].detach()
        self._optimizer.step()
        return terms
