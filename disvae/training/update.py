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

    def set_rates(self, step: int) -> None:
        """Set the learning rates of a step."""
        if isinstance(self._factor, (int, float)) and self._factor == 1:
            return
        factor = float(at_step(self._factor, step))
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(factor * rate)
            else:
                group["lr"] = factor * rate

    def hold_rates_on(self, device: torch.device | None) -> None:
        """Hold the rates in tensors, where a recorded update sees them change; in numbers if None.

        Args:
            device: where the weights are.
        """
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate if device is None else torch.tensor(rate, device=device)
            group["capturable"] = device is not None and device.type == "cuda"

    def __call__(self) -> dict[str, Tensor]:
        """Update the weights.

        Returns:
            ``gradient_norm``, of the model before it was bounded, if there is a bound.
        """
        terms = {}
        if self._max_gradient is not None:
            groups = [group["params"] for group in self._optimizer.param_groups]
            norms = [clip_grad_norm_(parameters, self._max_gradient) for parameters in groups]
            terms["gradient_norm"] = norms[0].detach()
        self._optimizer.step()
        return terms
