"""The loss of QLAE: its formula, whose gradient goes where, and what decays."""

import pytest
import torch
from small import small_mixed, small_qlae

from disvae import Trainer
from disvae.losses import DIPVAELoss, FactorVAELoss, HFSLoss, InfoVAELoss, QLAELoss, VAELoss
from disvae.models import Discriminator

X = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_loss_is_the_formula() -> None:
    model = small_qlae()
    output = model(X)
    squares = (output.encoded - output.values).square().mean()
    reconstruction = model.likelihood.nll(output.parameters, X).mean()
    found = QLAELoss(quantization=0.3, commitment=0.5)(model, X)
    torch.testing.assert_close(found.loss, reconstruction + 64 * 0.8 * squares)  # 64 pixels
    torch.testing.assert_close(found.terms["quantization"], squares.detach())
    torch.testing.assert_close(found.terms["commitment"], squares.detach())


def test_each_distance_moves_its_own_side() -> None:
    model = small_qlae()
    output = model(X)
    encoded, values = output.encoded.detach(), output.values.detach()
    for weights, moved in (((1.0, 0.0), "codebook"), ((0.0, 1.0), "encoder")):
        gradients = []
        for quantization, commitment in (weights, (0.0, 0.0)):
            model.zero_grad()
            QLAELoss(quantization, commitment)(model, X).loss.backward()
            gradients.append({n: p.grad.clone() for n, p in model.named_parameters()})
        for name, gradient in gradients[0].items():
            changed = not torch.allclose(gradient, gradients[1][name], atol=1e-6)
            assert changed == name.startswith(moved), name
        if moved == "codebook":
            expected = torch.zeros(3, 4)
            slope = 64 * 2 * (values - encoded) / values.numel()
            numbers = model.represent(X).long()
            for j in range(3):
                expected[j].index_add_(0, numbers[:, j], slope[:, j])
            torch.testing.assert_close(gradients[0]["codebook"], expected)


def test_weights_decay_and_biases_and_codebook_do_not() -> None:
    model = small_qlae()
    decaying, others = QLAELoss(weight_decay=0.2).parameter_groups(model, lr=1e-3)
    names = {id(p): name for name, p in model.named_parameters()}
    assert {names[id(p)] for p in decaying["params"]} == {"encoder.1.weight", "decoder.0.weight"}
    assert {names[id(p)] for p in others["params"]} == {
        "codebook",
        "encoder.1.bias",
        "decoder.0.bias",
    }
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.2, 0.0)
    with pytest.raises(ValueError, match="weight_decay must not be negative"):
        QLAELoss(weight_decay=-0.1)


class Batches:
    """The same batch at each step."""

    def batch(self, step: int) -> torch.Tensor:
        return X


def trained(weight_decay: float) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    model = small_qlae()
    trainer = Trainer(
        model, QLAELoss(weight_decay=weight_decay), 1e-2, accelerator="cpu", progress=False
    )
    trainer.fit(Batches(), steps=1)
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_the_trainer_takes_the_decay_off_apart_from_adams_step() -> None:
    torch.manual_seed(1)
    start = dict(small_qlae().named_parameters())
    plain, decayed = trained(0.0), trained(0.5)
    for name, weight in start.items():
        expected = 1e-2 * 0.5 * weight if name.endswith("weight") else torch.zeros_like(weight)
        torch.testing.assert_close(plain[name] - decayed[name], expected, atol=2e-7, rtol=1e-4)


@pytest.mark.parametrize("fused", [True, False])
def test_adamw_without_decay_is_adam_to_the_last_bit(fused) -> None:
    """What the trainer's optimiser is to all other losses, of two players too."""
    ends = []
    for make in (torch.optim.Adam, torch.optim.AdamW):
        torch.manual_seed(2)
        model = small_mixed()
        criterion = FactorVAELoss(7, discriminator=Discriminator(7, 16, 2), discriminator_lr=1e-2)
        optimizer = make(criterion.parameter_groups(model, 1e-3), weight_decay=0.0, fused=fused)
        for step in range(20):
            loss = criterion(model, X, step).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        both = [*model.parameters(), *criterion.parameters()]
        ends.append(torch.cat([p.detach().flatten() for p in both]))
    assert torch.equal(*ends)


def test_other_losses_say_that_it_has_its_own() -> None:
    for criterion in (VAELoss(), FactorVAELoss(12, discriminator=Discriminator(12, 4, 1))):
        with pytest.raises(TypeError, match="one that has a loss of its own"):
            criterion(small_qlae(), X)


@pytest.mark.parametrize("criterion", [DIPVAELoss(), HFSLoss(), InfoVAELoss()])
def test_losses_of_gaussian_moments_refuse_mixed_codes(criterion) -> None:
    with pytest.raises(TypeError, match="takes moments of Gaussian codes, got a MixedDistribution"):
        criterion(small_mixed(), X)
