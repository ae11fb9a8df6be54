"""K runs as one step: their weights stacked, the loss mapped over them by torch.func.

What :func:`disvae.training.train_ensemble` could do on a GPU besides streams; measured by
``benchmarks/gpu.py``. The runs draw from one generator, so that none is what it would be alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

from disvae import Loss
from disvae.models.upconvolution import Upconvolution
from disvae.training.state import Players


class StackedStep:
    """The training step of several runs of one architecture.

    Args:
        runs: model and loss of each.
        lr: the learning rate.
        device: where they train.
        products: whether convolutions are matrix products, which a GPU batches, instead of the
            grouped convolutions that mapped ones become.
        low: whether to compute in bfloat16 where that is safe.
    """

    def __init__(
        self,
        runs: Sequence[tuple[nn.Module, Loss]],
        lr: float,
        device: torch.device,
        products: bool = False,
        low: bool = False,
    ) -> None:
        self.players = [Players(*run, alone=True).to(device) for run in runs]
        for one in self.players if products else []:
            as_products(one)
        parameters, self.buffers = stack_module_state(self.players)
        self.parameters = {name: value.detach().contiguous() for name, value in parameters.items()}
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), lr, weight_decay=0.0, fused=True
        )
        self.low, self.device = low, device
        self._mapped = vmap(
            grad_and_value(self._loss, has_aux=True), in_dims=(0, 0, 0), randomness="different"
        )

    def __call__(self, batch: Tensor) -> Tensor:
        """Take the step of batches of shape (runs, batch, C, H, W); the losses of all runs."""
        with drawn_in_one():
            gradients, (losses, _) = self._mapped(self.parameters, self.buffers, batch)
        for name, value in self.parameters.items():
            # The fused update walks through memory, and does not look at strides.
            value.grad = gradients[name].contiguous()
        self.optimizer.step()
        return losses

    def _loss(
        self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Tensor
    ) -> tuple[Tensor, Any]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low):
            loss, terms = functional_call(self.players[0], (parameters, buffers), (batch, 0))
        return loss, terms


@contextmanager
def drawn_in_one() -> Iterator[None]:
    """Draw Gaussian noise by a call that torch.func maps; PyTorch's own writes in place."""
    normal = torch.distributions.normal
    before = normal._standard_normal
    normal._standard_normal = lambda shape, dtype, device: torch.randn(
        shape, dtype=dtype, device=device
    )
    try:
        yield
    finally:
        normal._standard_normal = before


def as_products(network: nn.Module) -> None:
    """Compute the 4×4 convolutions of stride 2 as matrix products of one row per channel."""
    for module in network.modules():
        if isinstance(module, Upconvolution):
            module.__class__ = _UpProduct
        elif isinstance(module, nn.Conv2d):
            module.__class__ = _Product


class _Product(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        padded = F.pad(x.transpose(0, 1), (1, 1, 1, 1))  # channels first: rows of the product
        taps = [padded[..., i : i + h : 2, j : j + w : 2] for i in range(4) for j in range(4)]
        columns = torch.stack(taps, 1)  # (channels, taps, images, height, width)
        y = self.weight.flatten(1) @ columns.flatten(2).flatten(0, 1)
        y = y + self.bias[:, None] if self.bias is not None else y
        return y.unflatten(1, columns.shape[2:]).transpose(0, 1)


class _UpProduct(Upconvolution):
    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        maps = x.transpose(0, 1)
        taps = self.weight.flatten(1).t() @ maps.flatten(1)
        taps = taps.unflatten(0, (self.out_channels, 4, 4)).unflatten(-1, maps.shape[1:])
        rows = _doubled(taps.movedim(1, 0), -2)  # (2, channels, 4, images, height, width)
        both = _doubled(rows.movedim(2, 0), -1)  # (2, 2, channels, images, height, width)
        y = both.permute(2, 3, 4, 1, 5, 0).flatten(4, 5).flatten(2, 3)
        y = y + self.bias[:, None, None, None] if self.bias is not None else y
        return y.transpose(0, 1)


def _doubled(taps: Tensor, dim: int) -> Tensor:
    """Even and odd places of the output, from the four taps along one side of the kernel."""
    size = taps.shape[dim]
    zero = torch.zeros_like(taps[0].narrow(dim, 0, 1))
    later = torch.cat([zero, taps[3].narrow(dim, 0, size - 1)], dim)
    sooner = torch.cat([taps[0].narrow(dim, 1, size - 1), zero], dim)
    return torch.stack([taps[1] + later, taps[2] + sooner])
