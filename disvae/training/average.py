"""An exponential moving average of a model's weights."""

import copy

import torch
from torch import nn


class Average:
    """The model with averaged weights, which starts as the model is.

    Args:
        model: whose weights are averaged.
        decay: the share of the average that a step keeps; it spans about 1 / (1 - decay) steps, and
            remembers the first weights for as long.

    Attributes:
        module: a copy of the model with the averaged weights, in float32 or more and in evaluation
            mode; buffers are the model's own latest.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"ema_decay must be between 0 and 1, such as 0.999, got {decay}")
        # In float32 at least: in bfloat16 a step this small rounds to none.
        dtype = torch.promote_types(next(model.parameters()).dtype, torch.float32)
        self.module = copy.deepcopy(model).to(dtype).requires_grad_(False).eval()
        self._model, self._decay = model, decay

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model's present weights."""
        pairs = zip(self.module.parameters(), self._model.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight.to(average.dtype), 1 - self._decay)
        for mine, theirs in zip(self.module.buffers(), self._model.buffers(), strict=True):
            mine.copy_(theirs)
