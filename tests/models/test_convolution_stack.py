"""A stack of convolutions as one function is its layers called one by one, to rounding."""

import pytest
import torch
from torch import nn

from disvae.models import BurgessVAE
from disvae.models.convolution_stack import ConvolutionStack, _Stack
from disvae.models.upconvolution import Upconvolution

TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-4}


def halving(channels: int = 1) -> ConvolutionStack:
    convolutions = [nn.Conv2d(i, o, 4, 2, 1) for i, o in ((channels, 4), (4, 3))]
    layers = [layer for c in convolutions for layer in (c, nn.ReLU(inplace=True))]
    return ConvolutionStack(*layers).to(memory_format=torch.channels_last)


def doubling(channels: int = 1) -> ConvolutionStack:
    convolutions = [Upconvolution(i, o) for i, o in ((3, 4), (4, channels))]
    layers = [layer for c in convolutions for layer in (nn.ReLU(inplace=True), c)]
    return ConvolutionStack(*layers).to(memory_format=torch.channels_last)


CASES = [(halving, 1, (5, 1, 8, 12)), (halving, 2, (5, 2, 8, 8)), (doubling, 1, (5, 3, 2, 3))]
CASES += [(doubling, 2, (1, 3, 4, 4))]


def values_and_gradients(forward, stack, x):
    x = x.clone().requires_grad_()
    y = forward(x * 1)  # the first ReLU of the layers writes over its input
    return [y, *torch.autograd.grad((y**3).sum(), [x, *stack.parameters()])]


@pytest.fixture
def calls(monkeypatch) -> list[int]:
    """How often the fast form has been computed."""
    counted: list[int] = []
    original = _Stack.apply

    def apply(*arguments):
        counted.append(1)
        return original(*arguments)

    monkeypatch.setattr(_Stack, "apply", apply)
    return counted


@pytest.mark.parametrize(("make", "channels", "shape"), CASES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_values_and_gradients_equal_those_of_the_layers(make, channels, shape, dtype, calls):
    stack = make(channels).to(dtype)
    x = torch.randn(shape, dtype=dtype)
    found = values_and_gradients(stack, stack, x)
    assert len(calls) == 1
    expected = values_and_gradients(lambda x: nn.Sequential.forward(stack, x), stack, x)
    torch.testing.assert_close(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_the_input_of_the_first_relu_is_kept(calls) -> None:
    x = torch.randn(2, 3, 4, 4)
    before = x.clone()
    doubling()(x)
    assert torch.equal(x, before)
    assert calls


@pytest.mark.parametrize("make", [halving, doubling])
def test_second_derivatives(make) -> None:
    stack = make().double()
    shape = (1, 1, 4, 4) if make is halving else (1, 3, 1, 2)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    weights = [p.detach() + 0.1 for p in stack.parameters()]

    def f(x, weight):
        parameters = dict(zip(dict(stack.named_parameters()), weights, strict=True))
        parameters[next(iter(parameters))] = weight
        return torch.func.functional_call(stack, parameters, (x,)) ** 2

    weight = weights[0].requires_grad_()
    assert torch.autograd.gradcheck(f, (x, weight))
    assert torch.autograd.gradgradcheck(f, (x, weight))


def test_frozen_layers_get_no_gradient() -> None:
    stack = halving()
    first, _, second, _ = stack
    first.requires_grad_(False)
    stack(torch.rand(2, 1, 8, 8)).square().sum().backward()
    assert first.weight.grad is None
    assert second.weight.grad is not None
    stack.requires_grad_(False)
    x = torch.rand(2, 1, 8, 8, requires_grad=True)
    stack(x).sum().backward()
    assert x.grad is not None


def test_hooks_and_replaced_layers_are_called(calls) -> None:
    stack, x = halving(), torch.rand(2, 1, 8, 8)
    seen: list[torch.Tensor] = []
    handle = stack[0].register_forward_hook(lambda *call: seen.append(call[2]))
    stack(x)
    assert len(seen) == 1
    handle.remove()
    stack[1] = nn.Sigmoid()
    torch.testing.assert_close(stack(x), stack[3](stack[2](stack[0](x).sigmoid())))
    assert not calls


def test_many_models_at_once() -> None:
    stacks = [halving() for _ in range(2)]
    parameters, _ = torch.func.stack_module_state(stacks)
    x = torch.randn(2, 3, 1, 8, 8)

    def loss(parameters, x):
        return (torch.func.functional_call(stacks[0], parameters, (x,)) ** 2).sum()

    found = torch.func.vmap(torch.func.grad(loss))(parameters, x)
    for i, stack in enumerate(stacks):
        (stack(x[i]) ** 2).sum().backward()
        for name, parameter in stack.named_parameters():
            torch.testing.assert_close(found[name][i], parameter.grad, rtol=1e-4, atol=1e-4)


def test_autocast_calls_the_layers(calls) -> None:
    model = BurgessVAE((1, 16, 16), latent_dim=2)
    with torch.autocast("cpu", torch.bfloat16):
        model(torch.rand(2, 1, 16, 16)).parameters.sum().backward()
    assert not calls


def test_bfloat16_is_left_to_the_layers(calls) -> None:
    stack = doubling().bfloat16()
    x = torch.randn(2, 3, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    stack(x * 1).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16
    assert not calls


def test_a_replaced_layer_of_another_stride_or_without_bias_is_called(calls) -> None:
    for layer in (nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 4, 4, 2, 1, bias=False)):
        stack = halving()
        stack[0] = layer
        x = torch.randn(2, 1, 8, 8)
        torch.testing.assert_close(stack(x), nn.Sequential.forward(stack, x))
    assert not calls
