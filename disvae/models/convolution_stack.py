"""A stack of convolutions and ReLUs, computed on a CPU as one function."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from disvae.models.upconvolution import Upconvolution, upconvolve
from disvae.tracing import is_traced

Maps = Float[Tensor, "batch channels height width"]
LastMaps = Float[Tensor, "batch last_channels last_height last_width"]

_SETTINGS = (2, 2), (1, 1), (1, 1)  # stride, padding, dilation
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class ConvolutionStack(nn.Sequential):
    """Convolutions that halve maps or double them, with ReLUs: PyTorch's to rounding, faster.

    On a CPU the passes over memory between two convolutions cost a tenth of a training step. Here
    the gradient of a ReLU is written over the one that it came from, an upconvolution adds its bias
    as it goes, and the gradient of a bias is a sum of its own. Elsewhere the layers are called one
    by one: on other devices, under autocast, in transformations of ``torch.func``, where a layer
    has hooks or was replaced, and for second derivatives.

    Args:
        layers: ReLUs alternating with all :class:`torch.nn.Conv2d` or all
            :class:`~disvae.models.upconvolution.Upconvolution`, of kernel 4, stride 2, padding 1.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self._types = [type(layer) for layer in layers]
        self._settings = list(map(_settings, layers))

    def forward(self, x: Maps) -> LastMaps:
        """The maps after the last layer."""
        if not torch._C._are_functorch_transforms_active():  # which know no layout but their own
            x = x.contiguous(memory_format=torch.channels_last)
        if not self._is_fast(x):
            return super().forward(x)
        parameters = [p for layer in self for p in layer.parameters()]
        maps: Tensor = _Stack.apply(x, self._types, *parameters)
        return maps

    def _is_fast(self, x: Tensor) -> bool:
        if x.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return False
        if x.dtype not in (torch.float32, torch.float64):  # whose sums are in a wider type
            return False
        if is_traced():
            return False
        hooked = any(getattr(layer, hooks) for layer in self for hooks in _HOOKS)
        return not hooked and list(map(_settings, self)) == self._settings


def _settings(layer: nn.Module) -> tuple[object, ...]:
    """What a layer computes, apart from its weights."""
    names = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
    has_bias = getattr(layer, "bias", None) is not None
    return type(layer), has_bias, *(getattr(layer, name, None) for name in names)


class _Stack(torch.autograd.Function):
    """The parameters are weight and bias of one convolution after the other."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, types: Sequence[type], *parameters: Tensor) -> Tensor:
        ctx.types, ctx.n_parameters = types, len(parameters)
        y, rest = x, iter(parameters)
        kept = []  # the maps that a convolution reads
        for i, kind in enumerate(types):
            if kind is nn.ReLU:
                y = y.relu() if i == 0 else y.relu_()
            else:
                kept.append(y)
                convolve = upconvolve if kind is Upconvolution else _halve
                y = convolve(y, next(rest), next(rest))
        ctx.save_for_backward(x, *kept, y, *parameters)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        tensors = ctx.saved_tensors
        (x, *maps), parameters = tensors[: -ctx.n_parameters], tensors[-ctx.n_parameters :]
        if torch.is_grad_enabled():  # for second derivatives
            return _differentiable_gradients(ctx, x, parameters, gradient)
        of_x, _, *wanted = ctx.needs_input_grad
        found: list[Tensor | None] = []
        weights = list(parameters[::2])
        ours = False  # whether the gradient may be written over
        for kind in reversed(ctx.types):
            if kind is nn.ReLU:
                into = gradient if ours else torch.empty_like(maps[-1])
                gradient = torch.ops.aten.threshold_backward(gradient, maps[-1], 0, grad_input=into)
                continue
            maps.pop()
            of_bias, of_weight = wanted.pop(), wanted.pop()
            found.append(gradient.sum((0, 2, 3)) if of_bias else None)
            asked = [of_x or any(wanted), of_weight, False]
            transposed = kind is Upconvolution
            gradient, weight, _ = torch.ops.aten.convolution_backward(
                gradient, maps[-1], weights.pop(), None, *_SETTINGS, transposed, (0, 0), 1, asked
            )
            found.append(weight)
            if not asked[0]:
                break
            ours = True
        found += [None] * len(wanted)
        return (gradient if of_x else None), None, *reversed(found)


def _halve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(x, weight, bias, stride=2, padding=1)


def _double(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)


def _differentiable_gradients(
    ctx: Any, x: Tensor, parameters: tuple[Tensor, ...], gradient: Tensor
) -> tuple[Tensor | None, ...]:
    y, rest = x, iter(parameters)
    for kind in ctx.types:
        if kind is nn.ReLU:
            y = y.relu()
        else:
            y = (_double if kind is Upconvolution else _halve)(y, next(rest), next(rest))
    needed = [*ctx.needs_input_grad[:1], *ctx.needs_input_grad[2:]]
    inputs = [tensor for tensor, wanted in zip((x, *parameters), needed, strict=True) if wanted]
    gradients = iter(torch.autograd.grad(y, inputs, gradient, create_graph=True))
    of_x, *of_parameters = (next(gradients) if wanted else None for wanted in needed)
    return of_x, None, *of_parameters
