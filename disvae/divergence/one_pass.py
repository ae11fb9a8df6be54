"""Both players' losses from one pass through the discriminator, forward and backward.

Both depend on the difference h of the two logits alone, and each code has a row of its own. So row
i of either gradient is a number times the same dh_i: the density ratio weighs it by 1 / n for the
codes, the cross-entropy by its derivative for the weights. One backward pass finds dh_i; the
weights are applied to it afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from disvae.divergence.density_ratio import JOINT, PERMUTED

Codes = Float[Tensor, "batch latent_dim"]
OtherCodes = Float[Tensor, "other_batch latent_dim"]
Scalar = Float[Tensor, ""]

_PARAMETRIC, _FUNCTIONS = (nn.Linear, nn.LayerNorm), (nn.LeakyReLU, nn.ReLU)


def is_row_by_row(discriminator: nn.Module) -> bool:
    """Whether a discriminator is known to be a chain of layers that treat each code by itself.

    A layer that writes over its input is not: the chain is cut where it would write.

    Args:
        discriminator: any module.
    """
    return all(map(_is_link, discriminator.modules()))


def _is_link(module: nn.Module) -> bool:
    if isinstance(module, nn.Sequential):
        owner = next(cls for cls in type(module).__mro__ if "forward" in vars(cls))
        return owner is nn.Sequential or vars(owner).get("is_chain", False)
    return type(module) in _PARAMETRIC + _FUNCTIONS and not getattr(module, "inplace", False)


def one_pass(discriminator: nn.Module, z: Codes, reference: OtherCodes) -> tuple[Scalar, Scalar]:
    """Compute the density ratio of the codes and the discriminator's cross-entropy, in nats.

    The gradient of the ratio reaches ``z`` alone, that of the cross-entropy the discriminator's
    parameters alone. They have no second derivatives.

    Args:
        discriminator: it treats codes :func:`row by row <is_row_by_row>`.
        z: codes of the model.
        reference: codes that those of the model are told from.
    """
    ratio, loss = _OnePass.apply(z, reference, discriminator, *discriminator.parameters())
    return ratio, loss


class _Layer(NamedTuple):
    parameters: list[nn.Parameter]
    output: Tensor
    cut: Tensor  # the same numbers, where the next layer's graph begins


class _OnePass(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, z: Tensor, reference: Tensor, discriminator: nn.Module, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        codes = torch.cat([z.detach(), reference.detach()])
        with torch.enable_grad(), _cut_into_layers(discriminator) as layers:
            codes.requires_grad_()
            logits = discriminator(codes).to(z.dtype)
            difference = logits[:, JOINT] - logits[:, PERMUTED]
        n, h = len(z), difference.detach()
        signed = torch.cat([-h[:n], h[n:]])
        ctx.n, ctx.layers, ctx.codes, ctx.difference = n, layers, codes, difference
        ctx.slopes = torch.cat([-signed[:n].sigmoid(), signed[n:].sigmoid()]) / len(h)
        ctx.needed = parameters
        return h[:n].mean(), F.softplus(signed).mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_ratio: Tensor, of_loss: Tensor) -> tuple[Tensor | None, ...]:
        weights = (of_loss * ctx.slopes)[:, None]
        found: dict[nn.Parameter, Tensor] = {}
        output, row = ctx.difference, torch.ones_like(ctx.difference)
        for layer in reversed(ctx.layers):
            (row,) = torch.autograd.grad(output, layer.cut, row)
            output = layer.output
            wanted = [parameter for parameter in layer.parameters if parameter.requires_grad]
            if wanted:
                scaled = row * weights.to(row.dtype)
                gradients = torch.autograd.grad(output, wanted, scaled, retain_graph=True)
                for parameter, gradient in zip(wanted, gradients, strict=True):
                    known = found.get(parameter)
                    found[parameter] = gradient if known is None else known + gradient
        (row,) = torch.autograd.grad(output, ctx.codes, row)
        of_codes = row[: ctx.n] * (of_ratio / ctx.n)
        return of_codes, None, None, *(found.get(parameter) for parameter in ctx.needed)


@contextmanager
def _cut_into_layers(discriminator: nn.Module) -> Iterator[list[_Layer]]:
    """Collect the layers with parameters as they are computed, each with a graph of its own."""
    layers: list[_Layer] = []

    def cut(module: nn.Module, _: Any, output: Tensor) -> Tensor:
        layers.append(_Layer([*module.parameters()], output, output.detach().requires_grad_()))
        return layers[-1].cut

    modules = [module for module in discriminator.modules() if isinstance(module, _PARAMETRIC)]
    hooks = [module.register_forward_hook(cut) for module in modules]
    try:
        yield layers
    finally:
        for hook in hooks:
            hook.remove()
