"""The two cycles against models whose parts are known, and who is taught by which."""

import pytest
import torch
from torch import Tensor, nn

from disvae import VAE
from disvae.data import ImageArray, LabelPairs
from disvae.likelihoods import Bernoulli, Sigmoid, SquaredError
from disvae.losses import CycleConsistentLoss
from disvae.testing import small_vae

Z, S = 3, 2  # the code of 2×3 pixels: three of z, two of s; the last pixel is of no use
SHAPE = (1, 2, 3)


class Reads(nn.Module):
    """An encoder whose means are a matrix times the pixels, without noise to speak of."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.flatten(1) @ self.matrix.T
        return torch.cat([mean, torch.full_like(mean, -60.0)], dim=1)


class Paints(nn.Module):
    """A decoder that paints each dimension into a pixel of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(Z + S, dtype=torch.float64))

    def forward(self, code: Tensor) -> Tensor:
        return nn.functional.pad(code * self.scale, (0, 1)).unflatten(1, SHAPE)


def model(leak: float = 0.0) -> VAE:
    """Each dimension is found in its pixel; z also holds ``leak`` times the first of s."""
    matrix = torch.eye(Z + S, 6, dtype=torch.float64)
    matrix[:Z, Z] = leak
    return VAE(Reads(matrix), Paints(), Z + S, SquaredError()).double()


def pair(n: int = 5) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, n, *SHAPE, generator=generator, dtype=torch.float64)
    return first, second


def test_each_image_is_reconstructed_with_the_s_of_its_partner() -> None:
    first, second = pair()
    terms = CycleConsistentLoss(S)(model(), (first, second)).terms
    errors = []
    for a, b in zip(first.flatten(1), second.flatten(1), strict=True):
        for own, other in ((a, b), (b, a)):
            painted = torch.cat([own[:Z], other[Z:-1], torch.zeros(1)])
            errors.append((painted - own).square().sum())
    assert terms["reconstruction"] == pytest.approx(float(torch.stack(errors).mean()), rel=1e-6)


def test_pairs_that_share_s_are_reconstructed_by_parts_that_are_apart() -> None:
    first, second = pair()
    second[:, :, 1] = first[:, :, 1]  # all of s
    first[..., -1, -1] = second[..., -1, -1] = 0
    terms = CycleConsistentLoss(S)(model(), (first, second)).terms
    assert terms["reconstruction"] == pytest.approx(0, abs=1e-12)
    assert terms["reverse_cycle"] == pytest.approx(0, abs=1e-12)


def test_the_reverse_cycle_finds_how_much_of_s_is_in_z() -> None:
    first, second = pair()
    terms = CycleConsistentLoss(S)(model(leak=0.5), (first, second)).terms
    s = first.flatten(1)[:, Z]
    expected = Z * 0.5 * (s - s.roll(1)).abs().mean()
    assert terms["reverse_cycle"] == pytest.approx(float(expected), rel=1e-6)


def test_the_kl_is_that_of_z_alone() -> None:
    first, second = pair()
    mean = torch.cat([first, second]).flatten(1)[:, :Z]
    log_var = torch.tensor(-60.0, dtype=torch.float64)
    expected = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1).mean()
    terms = CycleConsistentLoss(S)(model(), (first, second)).terms
    assert terms["kl"] == pytest.approx(float(expected), rel=1e-9)


def gradients(criterion: CycleConsistentLoss) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    vae = small_vae(latent_dim=4)
    torch.manual_seed(1)
    x = torch.rand(2, 6, 1, 8, 8)
    criterion(vae, (x[0], x[1])).loss.backward()
    return tuple(
        torch.cat([p.grad.flatten() for p in part.parameters() if p.grad is not None])
        for part in (vae.encoder, vae.decoder)
    )  # type: ignore[return-value]


def test_the_reverse_cycle_teaches_the_encoder_alone() -> None:
    without, with_it = (gradients(CycleConsistentLoss(2, reverse=w)) for w in (0.0, 10.0))
    assert torch.equal(without[1], with_it[1])
    assert (without[0] - with_it[0]).abs().max() > 1e-3


def test_the_loss_is_the_weighted_sum() -> None:
    loss, terms = CycleConsistentLoss(S, beta=3.0, reverse=7.0)(model(leak=0.5), pair())
    parts = terms["reconstruction"] + 3 * terms["kl"] + 7 * terms["reverse_cycle"]
    assert loss.item() == pytest.approx(float(parts), rel=1e-9)


def test_groups_of_three_pass_s_around() -> None:
    first, second = pair()
    third = second.flip(0)
    terms = CycleConsistentLoss(S)(model(), (first, second, third)).terms
    flat = [x.flatten(1) for x in (first, second, third)]
    errors = [
        (torch.cat([own[:, :Z], giver[:, Z:-1], torch.zeros(5, 1)], 1) - own).square().sum(1)
        for own, giver in zip(flat, [flat[2], flat[0], flat[1]], strict=True)
    ]
    assert terms["reconstruction"] == pytest.approx(float(torch.cat(errors).mean()), rel=1e-6)


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(TypeError):
        CycleConsistentLoss(S)(model(), pair()[0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        CycleConsistentLoss(0)
    with pytest.raises(ValueError, match="larger latent_dim"):
        CycleConsistentLoss(Z + S)(model(), pair())


def test_it_learns_to_put_what_a_label_says_into_s() -> None:
    """Images whose left half is as bright as it comes, and whose right half is the label."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(200) % 2
    images = torch.empty(200, 8, 8, dtype=torch.uint8)
    images[:, :, :4] = torch.randint(256, (200, 1, 1), generator=generator)
    images[:, :, 4:] = 250 * label[:, None, None]
    source = LabelPairs(ImageArray(images, labels=label), batch_size=32)
    torch.manual_seed(0)
    vae = small_vae(latent_dim=2)
    criterion = CycleConsistentLoss(specified=1, reverse=10.0)
    optimizer = torch.optim.Adam(criterion.parameter_groups(vae, lr=1e-2))
    for step in range(300):
        optimizer.zero_grad()
        criterion(vae, source.batch(step), step).loss.backward()
        optimizer.step()
    with torch.no_grad():
        codes = vae.represent(images[:, None] / 255)
    z, s = (_separation(code, label) for code in codes.T)
    assert s > 3
    assert z < 0.5


def _separation(code: Tensor, label: Tensor) -> float:
    """The distance of the two classes in standard deviations within them."""
    a, b = code[label == 0], code[label == 1]
    within = torch.cat([a - a.mean(), b - b.mean()]).std()
    return float((a.mean() - b.mean()).abs() / within)


@pytest.mark.parametrize("likelihood", [Sigmoid(SquaredError()), Bernoulli()])
def test_in_bfloat16_throughout(likelihood) -> None:
    model = small_vae(4).bfloat16()
    model.likelihood = likelihood
    pair = tuple(torch.rand(2, 4, 1, 8, 8).bfloat16())
    CycleConsistentLoss(specified=1)(model, pair).loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
