"""Every loss keeps the contract; a new one joins this list first."""

import copy
from inspect import isabstract
from typing import get_args, get_type_hints

import pytest
import torch
from small import small_mixed, small_qlae
from torch import nn

import disvae.losses
from disvae import BetaTCVAELoss, BetaVAEBLoss, BetaVAEHLoss, FactorVAELoss, Loss, VAELoss
from disvae.divergence import BatchEstimate, MinibatchJackknife, kl_per_dimension
from disvae.losses import (
    AAELoss,
    AdaGVAELoss,
    AdaMLVAELoss,
    BetaVAEScaledLoss,
    CycleConsistentLoss,
    Decomposed,
    DIPVAELoss,
    ELBOLoss,
    FactorVAEPriorLoss,
    FewLabelsLoss,
    GVAELoss,
    HFSLoss,
    InfoGANLoss,
    InfoVAELoss,
    InfoWGANGPLoss,
    JointVAELoss,
    LossOutput,
    MLVAELoss,
    QLAELoss,
    WeightedLoss,
)
from disvae.models import Discriminator, LatentModel
from disvae.schedules import Linear, Schedule
from disvae.spec import build, describe
from disvae.testing import check_loss, small_vae

LATENT_DIM = 4
SMALL = Discriminator(LATENT_DIM, hidden_dim=16, n_hidden=2)

CONTRACT = {
    "vae": lambda: VAELoss(),
    "beta_vae_h": lambda: BetaVAEHLoss(beta=100.0),
    "beta_vae_h_scheduled": lambda: BetaVAEHLoss(beta=Linear(0.0, 4.0, steps=10)),
    "beta_vae_b": lambda: BetaVAEBLoss(gamma=100.0),
    "factor_vae": lambda: FactorVAELoss(LATENT_DIM, gamma=100.0),
    "factor_vae_scheduled": lambda: FactorVAELoss(LATENT_DIM, Linear(0.0, 35.0, 10), SMALL),
    "beta_tcvae_mws": lambda: BetaTCVAELoss(dataset_size=1000, gamma=100.0),
    "beta_tcvae_mss": lambda: BetaTCVAELoss(dataset_size=1000, beta=100.0, estimator="mss"),
    "dip_vae_i": lambda: DIPVAELoss("means", off_diagonal=100.0),
    "dip_vae_ii": lambda: DIPVAELoss("codes", off_diagonal=100.0),
    "beta_vae_scaled": lambda: BetaVAEScaledLoss(dataset_size=1000),
    "beta_tcvae_jackknife": lambda: BetaTCVAELoss(1000, beta=100.0, estimator="jackknife"),
    "factor_vae_prior": lambda: FactorVAEPriorLoss(LATENT_DIM, gamma=100.0),
    "aae": lambda: AAELoss(LATENT_DIM, weight=100.0),
    "info_vae": lambda: InfoVAELoss(),
    "hfs": lambda: HFSLoss(gamma=1.0),
    "weighted": lambda: WeightedLoss(
        0.5, beta=6.0, gamma=2.0, capacity=1.0, estimator=MinibatchJackknife(1000)
    ),
    "decomposed": lambda: Decomposed(FactorVAELoss(LATENT_DIM), MinibatchJackknife(1000)),
    "batch_estimate": lambda: WeightedLoss(beta=6.0, estimator=BatchEstimate()),
    "cycle_consistent": lambda: CycleConsistentLoss(specified=2),
    "gvae": lambda: GVAELoss(specified=2, beta=100.0),
    "ml_vae": lambda: MLVAELoss(specified=2, beta=100.0),
    "ada_gvae": lambda: AdaGVAELoss(beta=100.0),
    "ada_ml_vae": lambda: AdaMLVAELoss(beta=Linear(0.0, 4.0, steps=10)),
    "few_labels": lambda: FewLabelsLoss(),
    "few_labels_squared": lambda: FewLabelsLoss(
        FactorVAELoss(LATENT_DIM), 10.0, supervision="squared-error"
    ),
    "few_labels_of_pairs": lambda: FewLabelsLoss(AdaGVAELoss()),
    "decomposed_pairs": lambda: Decomposed(AdaGVAELoss(), MinibatchJackknife(1000)),
    "joint_vae": lambda: JointVAELoss(gamma=10.0, continuous_capacity=5.0),
    "qlae": lambda: QLAELoss(),
    "decomposed_qlae": lambda: Decomposed(QLAELoss(), MinibatchJackknife(1000)),
    "mixed_vae": lambda: VAELoss(),
    "mixed_beta_vae_b": lambda: BetaVAEBLoss(gamma=100.0),
    "mixed_factor_vae": lambda: FactorVAELoss(N_COLUMNS, gamma=100.0),
    "mixed_aae": lambda: AAELoss(N_COLUMNS, weight=100.0),
    "mixed_beta_tcvae_mws": lambda: BetaTCVAELoss(dataset_size=1000, gamma=100.0),
    "mixed_beta_tcvae_mss": lambda: BetaTCVAELoss(dataset_size=1000, beta=10.0, estimator="mss"),
    "mixed_weighted": lambda: WeightedLoss(
        0.5, beta=6.0, gamma=2.0, capacity=1.0, estimator=MinibatchJackknife(1000)
    ),
    "mixed_decomposed": lambda: Decomposed(FactorVAELoss(N_COLUMNS), MinibatchJackknife(1000)),
}
N_COLUMNS = 7  # of the mixed model


def model_of(name: str) -> LatentModel:
    """What the loss trains."""
    if "qlae" in name:
        return small_qlae()
    if name == "joint_vae" or name.startswith("mixed"):
        return small_mixed()
    return small_vae(LATENT_DIM)


def pair(x):
    return (x, x.flip(0))


def with_labels(x):
    return (x, x.flip(0), torch.linspace(0, 1, 3 * len(x)).view(-1, 3))


# What a loss takes, made of a batch of images, if it is more than that.
BATCH = {
    "cycle_consistent": pair,
    "gvae": lambda x: (*pair(x), x.roll(1, 0)),
    "ml_vae": lambda x: (*pair(x), x.roll(1, 0)),
    "ada_gvae": pair,
    "ada_ml_vae": pair,
    "few_labels": with_labels,
    "few_labels_squared": with_labels,
    "few_labels_of_pairs": lambda x: (x, *with_labels(x)),
    "decomposed_pairs": pair,
}


def make_batch(name: str, x):
    return BATCH.get(name, lambda x: x)(x)


def type_of_batch(cls: type[Loss]):
    """The batch of any loss of that class."""
    (name, *_) = (name for name in CONTRACT if type(CONTRACT[name]()) is cls)
    return BATCH.get(name, lambda x: x)


# Those that train no VAE, whose contract is in the file of their own.
GAMES = {InfoGANLoss, InfoWGANGPLoss}

# The weights at which each loss is the VAE's.
NEUTRAL = {
    "beta_vae_h": lambda: BetaVAEHLoss(beta=1.0),
    "beta_vae_b": lambda: BetaVAEBLoss(gamma=1.0, capacity=0.0),
    "factor_vae": lambda: FactorVAELoss(LATENT_DIM, gamma=0.0),
    "beta_tcvae_mws": lambda: BetaTCVAELoss(dataset_size=1000, beta=1.0),
    "beta_tcvae_mss": lambda: BetaTCVAELoss(dataset_size=1000, beta=1.0, estimator="mss"),
    "dip_vae_i": lambda: DIPVAELoss("means", off_diagonal=0.0),
    "dip_vae_ii": lambda: DIPVAELoss("codes", off_diagonal=0.0),
    "beta_vae_scaled": lambda: BetaVAEScaledLoss(dataset_size=16, beta=1.0, n_pixels=1),
    "beta_tcvae_jackknife": lambda: BetaTCVAELoss(1000, beta=1.0, estimator="jackknife"),
    "factor_vae_prior": lambda: FactorVAEPriorLoss(LATENT_DIM, gamma=0.0),
    "info_vae": lambda: InfoVAELoss(alpha=0.0, lam=1.0),
    "hfs": lambda: HFSLoss(gamma=0.0),
    "weighted": lambda: WeightedLoss(beta=1.0, gamma=1.0, estimator=MinibatchJackknife(1000)),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_contract(name: str) -> None:
    check_loss(CONTRACT[name](), LATENT_DIM, lambda x: make_batch(name, x), model_of(name))


@pytest.mark.parametrize("name", CONTRACT)
def test_description_builds_the_same_loss(name: str) -> None:
    criterion = CONTRACT[name]()
    copy = build(describe(criterion), Loss)
    assert type(copy) is type(criterion)
    assert describe(copy) == describe(criterion)


@pytest.mark.parametrize("name", CONTRACT)
def test_a_loss_is_frozen_once_it_is_made(name: str) -> None:
    for criterion in (CONTRACT[name](), copy.deepcopy(CONTRACT[name]())):
        described = describe(criterion)
        for argument in criterion._init_args:
            with pytest.raises(AttributeError, match=rf"{argument} stays as it is.*Linear"):
                setattr(criterion, argument, 1000.0)
        assert describe(criterion) == described
    criterion.note = "anything else may be set"
    assert criterion.double().eval().note


def test_every_public_loss_is_in_the_list() -> None:
    listed = {type(make()) for make in CONTRACT.values()}
    public = {getattr(disvae.losses, name) for name in disvae.losses.__all__}
    assert {
        cls for cls in public if issubclass(cls, Loss) and not isabstract(cls)
    } == listed | GAMES


NEED_MORE_THAN_ONE = {
    "factor_vae",
    "factor_vae_scheduled",
    "beta_tcvae_mss",
    "beta_tcvae_jackknife",
    "dip_vae_i",
    "dip_vae_ii",
    "info_vae",
    "weighted",
    "decomposed",
    "batch_estimate",
    "decomposed_pairs",
    "few_labels_squared",
    "decomposed_qlae",
    "mixed_factor_vae",
    "mixed_beta_tcvae_mss",
    "mixed_weighted",
    "mixed_decomposed",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_one_image_is_enough_or_a_clear_error(name: str) -> None:
    model, x = model_of(name), torch.rand(1, 1, 8, 8)
    if name in NEED_MORE_THAN_ONE:
        with pytest.raises(ValueError, match=r"at least [23]"):
            CONTRACT[name]()(model, make_batch(name, x))
    else:
        assert CONTRACT[name]()(model, make_batch(name, x)).loss.isfinite()


def weights_of_all_losses() -> list[tuple[type[Loss], str]]:
    return [
        (cls, name)
        for cls in sorted({type(make()) for make in CONTRACT.values()}, key=lambda c: c.__name__)
        for name, hint in get_type_hints(cls.__init__).items()
        if Schedule in get_args(hint)
    ]


@pytest.mark.parametrize(("cls", "weight"), weights_of_all_losses())
def test_any_weight_of_any_loss_may_be_a_schedule(cls: type[Loss], weight: str) -> None:
    arguments = {"latent_dim": LATENT_DIM, "dataset_size": 1000, "discriminator": SMALL}
    arguments["specified"] = 2
    if cls is WeightedLoss:
        arguments["estimator"] = MinibatchJackknife(1000)
    wanted = get_type_hints(cls.__init__).keys() & arguments.keys()
    given = {name: arguments[name] for name in wanted}
    batch = type_of_batch(cls)(torch.rand(8, 1, 8, 8))
    model = model_of({JointVAELoss: "joint_vae", QLAELoss: "qlae"}.get(cls, ""))

    def loss(value: float | Schedule, step: int) -> float:
        torch.manual_seed(0)
        return cls(**given, **{weight: value})(model, batch, step).loss.item()

    schedule = Linear(0.25, 8.25, steps=8)
    assert loss(schedule, 4) == pytest.approx(loss(4.25, 4), rel=1e-5)
    assert loss(schedule, 8) != pytest.approx(loss(schedule, 4), rel=1e-6)
    criterion = cls(**given, **{weight: schedule})
    assert describe(build(describe(criterion), Loss)) == describe(criterion)


KL_OF_GROUPS = {"gvae", "ml_vae", "ada_gvae", "ada_ml_vae"}
KL_OF_GROUPS |= {"few_labels_of_pairs", "decomposed_pairs", "cycle_consistent"}


@pytest.mark.parametrize("name", CONTRACT)
def test_every_loss_reports_the_kl(name: str) -> None:
    torch.manual_seed(0)
    if "qlae" in name:
        pytest.skip("an autoencoder of certain codes has no KL to speak of")
    model, x = model_of(name), torch.rand(16, 1, 8, 8)
    expected = kl_per_dimension(model.encode(x), model.prior).sum(1).mean()
    kl = CONTRACT[name]()(model, make_batch(name, x)).terms["kl"]
    if name not in KL_OF_GROUPS:
        assert kl == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("name", CONTRACT)
def test_no_loss_asks_anything_of_the_host(name: str) -> None:
    """Tensors without values: whoever reads one back, or chooses by one, fails."""
    criterion, model = (
        copy.deepcopy(CONTRACT[name]()).to("meta"),
        copy.deepcopy(model_of(name)).to("meta"),
    )
    batch = make_batch(name, torch.rand(16, 1, 8, 8))
    batch = [part.to("meta") for part in batch] if isinstance(batch, tuple) else batch.to("meta")
    criterion(model, batch, torch.tensor(3, device="meta")).loss.backward()


@pytest.mark.gpu
@pytest.mark.parametrize("name", CONTRACT)
def test_a_gpu_computes_the_same(name: str, draws_of_the_cpu: None) -> None:
    torch.manual_seed(0)
    model, criterion = copy.deepcopy((model_of(name), CONTRACT[name]()))
    model, criterion = model.double(), criterion.double()
    x = torch.rand(16, 1, 8, 8, dtype=torch.float64)
    found = []
    for device in ("cpu", "cuda"):
        model, criterion = model.to(device), criterion.to(device)
        batch = make_batch(name, x)
        parts = [part.to(device) for part in (batch if isinstance(batch, tuple) else [batch])]
        model.zero_grad()
        criterion.zero_grad()
        torch.manual_seed(3)
        output = criterion(model, tuple(parts) if isinstance(batch, tuple) else parts[0], 3)
        output.loss.backward()
        parameters = [*model.parameters(), *criterion.parameters()]
        gradients = [p.grad.cpu().clone() for p in parameters if p.grad is not None]
        found.append([*(term.cpu() for term in output.terms.values()), *gradients])
    for on_cpu, on_gpu in zip(*found, strict=True):
        torch.testing.assert_close(on_gpu, on_cpu, rtol=1e-6, atol=1e-8, check_dtype=False)


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_weights_are_the_vae(name: str) -> None:
    model, x = small_vae(LATENT_DIM).double(), torch.rand(16, 1, 8, 8, dtype=torch.float64)
    gradients = []
    for criterion in (VAELoss(), NEUTRAL[name]().double()):
        torch.manual_seed(3)
        model.zero_grad()
        output = criterion(model, x)
        output.loss.backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
        objective = output.terms["objective"]
        assert objective == pytest.approx(output.terms["reconstruction"] + output.terms["kl"])
    for expected, actual in zip(*gradients, strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


class _Broken(ELBOLoss):
    """A loss that breaks one clause of the contract."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.unused = nn.Parameter(torch.zeros(1)) if how == "unused parameter" else None
        self.calls = 0

    def regularizer(self, posterior, z, prior, step):
        self.calls += 1
        penalty = z.square().sum(-1).mean()
        if self.how == "state":
            penalty = penalty * self.calls
        if self.how == "nan":
            penalty = penalty * torch.nan
        if self.how == "vector":
            penalty = z.square().sum(-1)
        if self.how == "overflow":
            penalty = (4 * z.abs()).exp().mean()
        return penalty, {"penalty": z if self.how == "vector term" else penalty}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("state", "it has a state"),
        ("nan", "the loss is nan"),
        ("vector", "must be a scalar"),
        ("vector term", "must be a scalar"),
        ("unused parameter", "no gradient reaches"),
        ("overflow", "not finite at log-variances"),
    ],
)
@pytest.mark.untyped
def test_contract_catches(how: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_loss(_Broken(how), LATENT_DIM)


class _Unguarded(Loss):
    """A loss that looks at nothing, and whose term has a gradient when asked to."""

    def __init__(self, attached: bool = False) -> None:
        super().__init__()
        self.attached = attached

    def forward(self, model, batch, step=None):
        output = model(torch.nan_to_num(batch[:6].float().reshape(-1, 1, 8, 8)).clamp(0, 1))
        loss = output.parameters.square().mean() + output.posterior.scale.log().square().mean()
        term = loss if self.attached else loss.detach()
        return LossOutput(loss, {"objective": term, "reconstruction": term})


def test_contract_catches_unchecked_input() -> None:
    with pytest.raises(AssertionError, match="a NaN pixel must raise"):
        check_loss(_Unguarded(), LATENT_DIM)


def test_contract_catches_attached_terms() -> None:
    with pytest.raises(AssertionError, match="must be detached"):
        check_loss(_Unguarded(attached=True), LATENT_DIM)
