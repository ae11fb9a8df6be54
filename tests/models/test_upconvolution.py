"""The upconvolution is PyTorch's transposed convolution, to rounding."""

import pytest
import torch
from torch import nn

from disvae.models.upconvolution import Upconvolution


def pair(i: int, o: int, dtype: torch.dtype) -> tuple[nn.Module, nn.Module]:
    ours, theirs = Upconvolution(i, o).to(dtype), nn.ConvTranspose2d(i, o, 4, 2, 1).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("o", [1, 3])
@pytest.mark.parametrize("shape", [(2, 5, 4, 4), (1, 1, 1, 3), (3, 8, 7, 2)])
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_values_and_gradients(o, shape, memory_format) -> None:
    x = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=memory_format)
    x.requires_grad_()
    found, expected = [], []
    for layer, results in zip(pair(shape[1], o, torch.float64), (found, expected), strict=True):
        y = layer.to(memory_format=memory_format)(x)
        results += [y, *torch.autograd.grad((y**3).sum(), [x, *layer.parameters()])]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == torch.float64
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_second_derivatives() -> None:
    layer = Upconvolution(2, 1).double()
    x = torch.randn(1, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(lambda x: layer(x) ** 2, x)


@pytest.mark.parametrize("o", [1, 3])
def test_autocast_and_low_precision(o) -> None:
    ours, theirs = pair(16, o, torch.float32)
    x = torch.randn(4, 16, 8, 8)
    exact = theirs(x)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(ours(x).float(), exact, rtol=0.02, atol=0.02)
    low = ours.bfloat16()(x.bfloat16())
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, rtol=0.02, atol=0.02)


def test_frozen_weights_get_no_gradient() -> None:
    layer = Upconvolution(4, 1).requires_grad_(False)
    x = torch.randn(2, 4, 4, 4, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


def test_many_layers_at_once() -> None:
    layers = [Upconvolution(4, 1) for _ in range(3)]
    parameters, _ = torch.func.stack_module_state(layers)
    x = torch.randn(3, 2, 4, 5, 5)

    def loss(parameters, x):
        return (torch.func.functional_call(layers[0], parameters, (x,)) ** 2).sum()

    found = torch.func.vmap(torch.func.grad(loss))(parameters, x)
    for i, layer in enumerate(layers):
        (layer(x[i]) ** 2).sum().backward()
        for name, parameter in layer.named_parameters():
            torch.testing.assert_close(found[name][i], parameter.grad, rtol=1e-4, atol=1e-4)


def test_exports_as_pytorchs_own() -> None:
    layer = Upconvolution(4, 1)
    x = torch.randn(2, 4, 4, 4)
    program = torch.export.export(layer, (x,))
    assert "conv_transpose2d" in str(program)
    torch.testing.assert_close(program.module()(x), layer(x))


def test_a_size_that_is_asked_for() -> None:
    ours, theirs = pair(4, 3, torch.float32)
    x = torch.randn(1, 4, 4, 4)
    torch.testing.assert_close(ours(x, output_size=[9, 9]), theirs(x, output_size=[9, 9]))
