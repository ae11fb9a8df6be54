"""The upconvolution that doubles an image, in the form that a CPU computes fastest."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Maps = Float[Tensor, "batch channels height width"]
LargeMaps = Float[Tensor, "batch out_channels double_height double_width"]


class Upconvolution(nn.ConvTranspose2d):
    """A transposed convolution of kernel 4, stride 2 and padding 1: PyTorch's to rounding, faster.

    On a CPU PyTorch spends much of its time on the gradient of the bias, and computes a single
    channel at a fraction of the machine's rate. Here the bias is added apart, and one channel is a
    matrix product whose columns overlap in the image. Elsewhere it is PyTorch's own.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, which is twice as high and as wide.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=4, stride=2, padding=1)

    def forward(self, x: Maps, output_size: list[int] | None = None) -> LargeMaps:
        """The maps, twice as high and as wide."""
        exported = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if x.device.type != "cpu" or exported or self.bias is None or output_size:
            return super().forward(x, output_size)
        if self.out_channels == 1:
            y = _one_channel(x, self.weight)
        else:
            y = F.conv_transpose2d(x, self.weight, stride=2, padding=1)
        return y.add_(self.bias.to(y.dtype)[:, None, None])


def upconvolve(x: Maps, weight: Tensor, bias: Tensor) -> LargeMaps:
    """The same without autograd, for a function with a gradient of its own."""
    if weight.shape[1] == 1:
        return _OneChannel.forward(x, weight).add_(bias)
    return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)


def _one_channel(x: Tensor, weight: Tensor) -> Tensor:
    dtype = weight.dtype
    if torch.is_autocast_enabled("cpu"):
        low = torch.get_autocast_dtype("cpu")
        x, weight = x.to(low), weight.to(low)
    y: Tensor = _OneChannel.apply(x, weight)
    return y.to(dtype)


class _OneChannel(torch.autograd.Function):
    """Sums in float32 at least."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, weight: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        # Row k of the kernel is 2a + p: a picks one of the two cells of 2x2 pixels that the input
        # pixel reaches, p the row in it. So too the columns, with b and q.
        kernel = weight.view(channels, 2, 2, 2, 2).permute(1, 3, 2, 4, 0).reshape(16, channels)
        patches = (kernel @ x.permute(0, 2, 3, 1).reshape(-1, channels).T).to(_wide(x))
        patches = patches.view(2, 2, 4, batch, height, width)
        cells = patches.new_zeros(4, batch, height + 1, width + 1)
        for a in (0, 1):
            for b in (0, 1):
                cells[:, :, a : a + height, b : b + width] += patches[a, b]
        pixels = cells.view(2, 2, batch, height + 1, width + 1).permute(2, 3, 0, 4, 1)
        image = pixels.reshape(batch, 1, 2 * height + 2, 2 * width + 2)
        return image[:, :, 1:-1, 1:-1].contiguous()  # without the padding

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        settings = ((2, 2), (1, 1), (1, 1), True, (0, 0), 1)  # stride, padding, dilation, ...
        wanted = [*ctx.needs_input_grad, False]
        gradients: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
            gradient.to(x.dtype), x, weight, None, *settings, wanted
        )
        return gradients[:2]


def _wide(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)
