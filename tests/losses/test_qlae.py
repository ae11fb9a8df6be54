"""Which distance moves what, and which weights decay."""

import pytest
import torch
from small import small_qlae

from disvae.losses import QLAELoss
from disvae.testing import small_vae

X = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_the_loss_is_the_weighted_sum() -> None:
    model = small_qlae()
    output = model(X)
    distance = (output.encoded - output.values).square().mean()
    loss, terms = QLAELoss(quantization=0.2, commitment=0.3)(model, X)
    assert terms["quantization"] == pytest.approx(distance.item(), rel=1e-6)
    assert terms["commitment"] == pytest.approx(distance.item(), rel=1e-6)
    expected = terms["reconstruction"] + 64 * 0.5 * distance
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


def gradients(quantization: float, commitment: float) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = small_qlae()
    QLAELoss(quantization, commitment)(model, X).loss.backward()
    weight, codebook = model.encoder[1].weight.grad, model.codebook.grad
    assert weight is not None
    return weight, torch.zeros_like(model.codebook) if codebook is None else codebook


def test_quantization_moves_the_codebook_and_commitment_the_encoder() -> None:
    weight, codebook = gradients(0.0, 0.0)
    assert not codebook.any()
    with_q = gradients(0.5, 0.0)
    assert torch.allclose(with_q[0], weight)
    assert with_q[1].any()
    with_c = gradients(0.0, 0.5)
    assert not with_c[1].any()
    assert (with_c[0] - weight).abs().max() > 1e-4


def test_the_codebook_goes_towards_what_is_encoded() -> None:
    model = small_qlae()
    output = model(X)
    numbers = model.represent(X).long()
    _, codebook = gradients(1.0, 0.0)
    torch.manual_seed(0)
    model = small_qlae()
    output, numbers = model(X), model.represent(X).long()
    expected = torch.zeros_like(model.codebook)
    for i in range(6):
        for j in range(3):
            gap = model.codebook[j, numbers[i, j]] - output.encoded[i, j]
            expected[j, numbers[i, j]] += 64 * 2 * gap.detach() / output.encoded.numel()
    torch.testing.assert_close(codebook, expected, atol=1e-5, rtol=1e-4)


def test_weights_decay_and_neither_biases_nor_the_codebook_do() -> None:
    model = small_qlae()
    groups = QLAELoss(weight_decay=0.3).parameter_groups(model, lr=0.1)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        kept = 1 - 0.1 * 0.3 if name.endswith("weight") else 1.0
        torch.testing.assert_close(parameter.detach(), kept * before[name])


def test_what_it_cannot_train_is_refused() -> None:
    with pytest.raises(TypeError, match="a model that quantises"):
        QLAELoss()(small_vae(4), X)
    with pytest.raises(ValueError, match="weight_decay must not be negative"):
        QLAELoss(weight_decay=-1.0)
