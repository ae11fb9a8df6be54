"""The cross-entropy of pixels and logits, in the form that a CPU computes fastest."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """The binary cross-entropy of each pixel, in nats, with x in [0, 1].

    PyTorch computes log(1 + e) one number at a time on a CPU. exp and log work on many at once, and
    what 1 + e loses to rounding is put right to first order, which is all of it. No two terms
    cancel, and the gradient is sigmoid(logits) - x, without a pass back through the logarithm.
    Elsewhere it is PyTorch's own.
    """
    if logits.device.type != "cpu" or torch.compiler.is_compiling():
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    value: Tensor = _CrossEntropy.apply(logits, x)
    return value


class _CrossEntropy(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, x: Tensor) -> Tensor:
        e = logits.abs().neg_().exp_()
        rounded = 1 + e
        lost = e - (rounded - 1)
        log1p = rounded.log() + lost / rounded
        return (1 - x) * logits.clamp(min=0) - x * logits.clamp(max=0) + log1p

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        logits, x = ctx.saved_tensors
        of_logits, of_x = ctx.needs_input_grad
        return (
            (logits.sigmoid() - x) * gradient if of_logits else None,
            -logits * gradient if of_x else None,
        )
