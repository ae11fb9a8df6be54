"""InfoGAN's losses: each player gets the gradient of its own part, and the parts are what is said.

The oracle plays the game with three passes of the critic instead of one.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from disvae import BurgessVAE, Trainer
from disvae.divergence import MinibatchJackknife
from disvae.losses import (
    Decomposed,
    FactorVAELoss,
    InfoGANLoss,
    InfoWGANGPLoss,
    JointVAELoss,
    Loss,
    UnsuitableError,
    VAELoss,
)
from disvae.losses.gradient_penalty import between, gradient_penalty
from disvae.models import InfoGAN, InfoGAN2DShapes
from disvae.schedules import Linear
from disvae.spec import build, describe
from disvae.testing import check_loss, small_info_gan

LATENT_DIM, WEIGHT, PENALTY = 4, 0.7, 3.0
LOSSES = {
    "info_gan": lambda weight=WEIGHT: InfoGANLoss(weight),
    "info_wgan_gp": lambda weight=WEIGHT: InfoWGANGPLoss(weight, PENALTY),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


@pytest.fixture
def game():
    model = small_info_gan(LATENT_DIM).double()
    return model, torch.rand(32, 1, 8, 8, dtype=torch.float64)


def play(name, model, x):
    """The generator's, Q's and the critic's loss, each by passes of its own."""
    torch.manual_seed(1)
    codes = model.prior.rsample((len(x),))
    noise = 2 * torch.rand(len(x), model.n_noise, dtype=x.dtype) - 1
    fake = model.generator(torch.cat([codes, noise], 1)).sigmoid()

    def critic(images):
        return model.critic(model.trunk(images))[:, 0]

    q = model.recognition(model.trunk(fake))
    mean, log_var, logits = q[:, :3], q[:, 3:6], q[:, 6:]
    squares = (codes[:, :3] - mean).square() / log_var.exp()
    continuous = -0.5 * (squares + log_var + math.log(2 * math.pi)).sum(1)
    categorical = (codes[:, 3:] * logits.log_softmax(1)).sum(1)
    entropy = 3 * math.log(2) + math.log(3)
    information = entropy + (continuous + categorical).mean()
    alone = fake.detach()
    if name == "info_gan":
        persuasion = F.binary_cross_entropy_with_logits(critic(fake), torch.ones(len(x)).double())
        ones, zeros = torch.ones(len(x)).double(), torch.zeros(len(x)).double()
        opponent = F.binary_cross_entropy_with_logits(critic(x), ones)
        opponent = opponent + F.binary_cross_entropy_with_logits(critic(alone), zeros)
    else:
        persuasion = -critic(fake).mean()
        penalty = gradient_penalty(critic, between(x, alone))
        opponent = critic(alone).mean() - critic(x).mean() + PENALTY * penalty
    return persuasion, information, opponent


def gradients(loss, module):
    return torch.autograd.grad(loss, list(module.parameters()), retain_graph=True)


def assert_same(found, *expected):
    for actual, parts in zip(found, zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(actual, sum(parts), rtol=0, atol=1e-10)


@each_loss
def test_each_player_gets_its_own_gradient(name, game) -> None:
    model, x = game
    torch.manual_seed(1)
    loss = LOSSES[name]()(model, x).loss
    persuasion, information, opponent = play(name, model, x)
    shared = -WEIGHT * information
    assert_same(gradients(loss, model.generator), gradients(persuasion + shared, model.generator))
    assert_same(gradients(loss, model.recognition), gradients(shared, model.recognition))
    assert_same(
        gradients(loss, model.trunk),
        gradients(opponent, model.trunk),
        gradients(shared, model.trunk),
    )
    assert_same(gradients(loss, model.critic), gradients(opponent, model.critic))


@each_loss
def test_gradients_would_differ_with_a_leak(name, game) -> None:
    """What the test above is there to exclude, it can see."""
    model, x = game
    persuasion, _, opponent = play(name, model, x)
    for leak, module in ((persuasion, model.trunk), (persuasion, model.critic)):
        assert max(g.abs().max() for g in gradients(leak, module)) > 1e-4
    assert max(g.abs().max() for g in gradients(opponent, model.trunk)) > 1e-4


@each_loss
def test_values(name, game) -> None:
    model, x = game
    torch.manual_seed(1)
    output = LOSSES[name]()(model, x)
    persuasion, information, opponent = play(name, model, x)
    terms = {key: term.item() for key, term in output.terms.items()}
    assert terms["generator"] == pytest.approx(persuasion.item())
    assert terms["mutual_information"] == pytest.approx(information.item())
    assert terms["discriminator"] == pytest.approx(opponent.item())
    objective = persuasion - WEIGHT * information
    assert terms["objective"] == pytest.approx(objective.item())
    assert output.loss.item() == pytest.approx((objective + opponent).item())
    if name == "info_wgan_gp":
        penalty = PENALTY * terms["gradient_penalty"]
        assert terms["discriminator"] == pytest.approx(penalty - terms["wasserstein"])


@each_loss
def test_without_gradients_the_values_are_the_same(name, game) -> None:
    model, x = game
    torch.manual_seed(1)
    expected = LOSSES[name]()(model, x)
    torch.manual_seed(1)
    with torch.no_grad():
        output = LOSSES[name]()(model, x)
    assert not output.loss.requires_grad
    for key, term in expected.terms.items():
        assert output.terms[key].item() == pytest.approx(term.item(), abs=1e-12)


@each_loss
def test_contract(name) -> None:
    criterion = LOSSES[name]()
    check_loss(criterion, model=small_info_gan(LATENT_DIM), terms=["objective", "discriminator"])
    assert describe(build(describe(criterion), Loss)) == describe(criterion)


def shown(n_categories: int, recognition: nn.Module, noise: float = 0.0) -> InfoGAN:
    """A game whose images are the one-hot category, in a row of pixels; flipped now and then."""

    class Show(nn.Module):
        def forward(self, z):
            columns = z[:, :n_categories]
            wrong = columns.roll(1, 1)
            flip = (torch.rand(len(z), 1) < noise).to(z)
            return 1e4 * (torch.lerp(columns, wrong, flip)[:, None, None] - 0.5)

    critic = nn.Linear(n_categories, 1)
    return InfoGAN(Show(), nn.Flatten(), critic, recognition, 0, (n_categories,), 1)


@each_loss
def test_information_of_a_code_that_is_plain_to_see(name) -> None:
    certain = nn.Linear(4, 4)
    with torch.no_grad():
        certain.weight.copy_(100 * torch.eye(4))
    model, x = shown(4, certain), torch.rand(100, 1, 1, 4)
    information = LOSSES[name]()(model, x).terms["mutual_information"]
    assert information.item() == pytest.approx(math.log(4), abs=1e-5)


def test_information_is_a_bound_that_the_true_posterior_reaches() -> None:
    flipped = 0.2
    truth = -flipped * math.log(flipped) - (1 - flipped) * math.log(1 - flipped)
    truth = math.log(4) - truth  # of a category that is another one in a fifth of the images
    posterior = torch.full((4, 4), -30.0)
    for seen in range(4):
        posterior[seen, seen] = math.log(1 - flipped)
        posterior[(seen - 1) % 4, seen] = math.log(flipped)
    found = {}
    for scale in (0.0, 0.5, 1.0, 2.0):
        q = nn.Linear(4, 4)
        with torch.no_grad():
            q.weight.copy_(scale * posterior)
            q.bias.zero_()
        torch.manual_seed(0)
        output = InfoGANLoss()(shown(4, q, flipped), torch.rand(20_000, 1, 1, 4))
        found[scale] = output.terms["mutual_information"].item()
    assert found[0.0] == pytest.approx(0, abs=1e-6)  # Q knows nothing
    assert found[1.0] == pytest.approx(truth, abs=0.02)
    assert max(found[0.5], found[2.0]) < found[1.0] - 0.03


def test_information_of_continuous_codes_in_closed_form() -> None:
    """Q = N(0, 1), whatever the image: log 2 - E[-log N(c; 0, 1)] of a uniform c."""

    class Nothing(nn.Module):
        def forward(self, features):
            return torch.zeros(len(features), 2) + 0 * features[:, :1]

    generator = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2)))
    model = InfoGAN(generator, nn.Flatten(), nn.Linear(4, 1), Nothing(), 1, (), 2)
    found = InfoGANLoss()(model, torch.rand(50_000, 1, 2, 2)).terms["mutual_information"].item()
    assert found == pytest.approx(math.log(2) - 0.5 * math.log(2 * math.pi) - 1 / 6, abs=5e-3)


@each_loss
def test_nothing_is_read_back_from_the_device(name) -> None:
    """A step that waits for a number cannot be recorded on a GPU; on "meta" there are none."""
    model = small_info_gan(LATENT_DIM).to("meta")
    output = LOSSES[name]()(model, torch.rand(6, 1, 8, 8, device="meta"), torch.tensor(3))
    output.loss.backward()
    assert all(p.grad is not None for p in model.parameters())


@each_loss
def test_colours_under_autocast(name) -> None:
    model = InfoGAN2DShapes((3, 16, 16), normalization="layer")
    with torch.autocast("cpu", torch.bfloat16):
        output = LOSSES[name]()(model, torch.rand(4, 3, 16, 16))
    output.loss.backward()
    assert all(term.isfinite() for term in output.terms.values())
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_second_derivatives_under_autocast_are_close() -> None:
    found = {}
    for enabled in (False, True):
        torch.manual_seed(0)
        model, x = InfoGAN2DShapes((1, 32, 32), normalization="layer"), torch.rand(16, 1, 32, 32)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            penalty = gradient_penalty(lambda x: model.judge(model.trunk(x)), x)  # noqa: B023
        penalty.backward()
        found[enabled] = penalty.item(), model.trunk[0].weight.grad.clone()
    assert found[True][0] == pytest.approx(found[False][0], rel=0.05, abs=0.01)
    exact, low = found[False][1], found[True][1]
    assert F.cosine_similarity(exact.flatten(), low.flatten(), dim=0) > 0.98


@each_loss
def test_weight_may_be_a_schedule(name, game) -> None:
    model, x = game

    def loss(weight, step):
        torch.manual_seed(0)
        return LOSSES[name](weight)(model, x, step).loss.item()

    schedule = Linear(0.0, 2.0, steps=8)
    assert loss(schedule, 4) == pytest.approx(loss(1.0, 4))
    assert loss(schedule, 8) != pytest.approx(loss(schedule, 4))


@each_loss
def test_rates_of_the_players(name) -> None:
    model = small_info_gan(LATENT_DIM)
    own, opponent = LOSSES[name]().parameter_groups(model, lr=1e-3)
    assert (own["lr"], opponent["lr"]) == (1e-3, 2e-4)
    assert own["betas"] == opponent["betas"] == (0.5, 0.999)
    ours = [*model.generator.parameters(), *model.recognition.parameters()]
    assert {id(p) for p in own["params"]} == {id(p) for p in ours}
    alike = InfoGANLoss(discriminator_lr=None).parameter_groups(model, lr=1e-3)
    assert [group["lr"] for group in alike] == [1e-3, 1e-3]


@each_loss
def test_other_models_are_refused(name) -> None:
    with pytest.raises(TypeError, match=r"trains an InfoGAN, such as .* got BurgessVAE"):
        LOSSES[name]()(BurgessVAE((1, 32, 32)), torch.rand(2, 1, 32, 32))


@pytest.mark.parametrize("name", LOSSES)
def test_other_models_are_refused_before_training(name) -> None:
    with pytest.raises(UnsuitableError, match=r"trains an InfoGAN"):
        Trainer(BurgessVAE((1, 32, 32)), LOSSES[name](), accelerator="cpu")


@pytest.mark.parametrize("criterion", [VAELoss(), JointVAELoss(), FactorVAELoss(latent_dim=7)])
def test_losses_with_a_kl_refuse_its_prior(criterion) -> None:
    with pytest.raises(UnsuitableError, match=r"the prior has bounds.*InfoGANLoss"):
        criterion(InfoGAN2DShapes((1, 16, 16)), torch.rand(2, 1, 16, 16))


def test_its_kl_cannot_be_taken_apart() -> None:
    model, x = InfoGAN2DShapes((1, 16, 16)), torch.rand(4, 1, 16, 16)
    criterion = Decomposed(InfoGANLoss(), MinibatchJackknife(100), every=2)
    assert criterion(model, x, 1).loss.isfinite()
    with pytest.raises(ValueError, match="the prior has bounds"):
        criterion(model, x, 2)


def test_batch_normalisation_in_the_critic_is_refused() -> None:
    x = torch.rand(4, 1, 16, 16)
    with pytest.raises(ValueError, match='give the model normalization "layer"'):
        InfoWGANGPLoss()(InfoGAN2DShapes((1, 16, 16)), x)
    InfoGANLoss()(InfoGAN2DShapes((1, 16, 16)), x).loss.backward()


def test_negative_penalty() -> None:
    with pytest.raises(ValueError, match=r"not negative, got -1"):
        InfoWGANGPLoss(penalty=-1.0)
