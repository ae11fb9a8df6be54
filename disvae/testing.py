"""The contracts that everything built in passes, for losses, data sets and metrics of one's own.

Each function returns nothing and raises ``AssertionError`` with what is wrong.
"""

import copy
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from disvae.data import FactorDataset, ImageDataset
from disvae.losses import Loss, LossOutput
from disvae.metrics import Score
from disvae.models import VAE, InfoGAN, LatentModel

IMAGE_SHAPE = (1, 8, 8)
BATCH_SIZE = 6


def check_loss(
    criterion: Loss,
    latent_dim: int = 4,
    make_batch: Callable[[Tensor], Any] = lambda x: x,
    model: LatentModel | None = None,
    terms: Sequence[str] = ("objective", "reconstruction"),
) -> None:
    """Check that a loss keeps the contract of :class:`disvae.Loss`.

    It is deterministic given the seed; its loss is a finite scalar whose gradient reaches every
    parameter of the model and of the loss; its terms are detached finite scalars with
    ``objective`` and ``reconstruction`` among them; the step may be an int, a tensor or None;
    every parameter is in exactly one parameter group; images that are not images are refused; it
    stays finite under bfloat16 autocast and at log-variances of ±20.

    Args:
        criterion: the loss, in the precision it was made in.
        latent_dim: number of dimensions of the code that ``criterion`` expects.
        make_batch: what the loss takes, made of a batch of images, which it takes itself by
            default.
        model: what to train, of 8×8 grey images; a VAE of ``latent_dim`` Gaussian dimensions if
            None. Log-variances are what its ``encoder`` says, and as they are if it has none.
        terms: names that there must be; a loss that reconstructs nothing has ("objective",).

    Raises:
        AssertionError: a clause is broken; the message says which.

    Example:
        >>> from disvae import BetaVAEHLoss
        >>> check_loss(BetaVAEHLoss(beta=4.0))
        >>> from disvae.losses import AdaGVAELoss
        >>> check_loss(AdaGVAELoss(), make_batch=lambda x: (x, x.flip(0)))
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = small_vae(latent_dim) if model is None else copy.deepcopy(model)
        x = torch.rand(BATCH_SIZE, *IMAGE_SHAPE)
        batch = make_batch(x)
        _check_output(criterion, model, batch, x, terms)
        _check_steps(criterion, model, batch)
        _check_gradients(criterion, model, batch)
        _check_parameter_groups(criterion, model)
        _check_bad_input(criterion, model, x, make_batch)
        _check_extremes(criterion, model, batch, x)


def check_metric(metric: Callable[..., Score], invariant: bool = True) -> None:
    """Check that a metric keeps the contract of those in :mod:`disvae.metrics`.

    It takes ``(codes, factors, *, seed, names)`` and gives a float with its details, as plain JSON
    values; the same seed gives the same, arrays, tensors and lists give the same, and neither the
    arguments nor any global random state are changed; codes that are the factors score no less
    (by 0.05) than codes that know nothing of them; NaN codes, codes of another length and a
    constant factor are refused with a ``ValueError``.

    Args:
        metric: the metric, the greater the better.
        invariant: whether the order, the signs and the units of dimensions must not matter.

    Raises:
        AssertionError: a clause is broken; the message says which.

    Example:
        >>> from disvae.metrics import mig
        >>> check_metric(mig)
    """
    rng = np.random.default_rng(0)
    factors = np.tile(np.stack(np.divmod(np.arange(12), 4), axis=1), (25, 1))  # of 3 and 4 values
    perfect = np.concatenate([factors * [1.0, -0.5], 0.1 * rng.normal(size=(300, 1))], axis=1)
    noise = rng.normal(size=perfect.shape)

    def measure(codes: object, factors: object = factors) -> Score:
        return metric(codes, factors, seed=1, names=["a", "b"])

    given, before = noise.copy(), _random_states()
    score = measure(given)
    assert isinstance(score, Score), f"expected a disvae.metrics.Score, got {score!r}"
    assert math.isfinite(score), f"expected a finite number, got {score!r}"
    json.dumps(score.to_json())
    assert np.array_equal(given, noise), "the codes were changed"
    assert before == _random_states(), "global random state was used: draw with the seed instead"
    assert score == measure(noise), "the same seed gave another score"
    assert score == measure(torch.from_numpy(noise), torch.from_numpy(factors)), "tensors differ"
    assert score == measure(noise.tolist(), factors.tolist()), "lists differ"
    best = measure(perfect)
    assert best >= score - 0.05, f"codes that are the factors score {best:.3f}, noise {score:.3f}"
    if invariant:
        turned = noise[:, [2, 0, 1]] * [-1e3, 1e-3, 2.0]
        apart = abs(measure(turned) - score)
        assert apart < 0.02, f"order, signs and units of dimensions change the score by {apart:.3f}"
    broken = noise.copy()
    broken[7, 1] = math.nan
    for what, codes, v in (
        ("NaN codes", broken, factors),
        ("codes of another length", noise[:-1], factors),
        ("a constant factor", noise, factors * [1, 0]),
    ):
        try:
            measure(codes, v)
        except ValueError:
            continue
        raise AssertionError(f"{what} must be refused with a ValueError")


def _random_states() -> tuple[bytes, str]:
    """The global random states of PyTorch and NumPy."""
    return torch.get_rng_state().numpy().tobytes(), repr(np.random.get_state())  # noqa: NPY002


def check_dataset(dataset: ImageDataset) -> None:
    """Check that a data set keeps the contract of :class:`disvae.data.ImageDataset`.

    Its images are bytes of one shape from 0 to ``max_value``, the same in whatever order and
    however often they are asked for; an image by its index is the same as a float, with what is
    known of it; indices that are none are refused. If it has factors, they lie within its space,
    one row for each image.

    Args:
        dataset: the data set, of at least two images.

    Raises:
        AssertionError: a clause is broken; the message says which.

    Example:
        >>> from disvae.data import Sprites
        >>> check_dataset(Sprites())
    """
    n = len(dataset)
    assert n >= 2, f"give a data set of at least 2 images, not {n}"
    some = torch.tensor([n - 1, 0, n // 2, 0])
    images = dataset.images(some)
    expected = (len(some), *dataset.image_shape)
    assert images.dtype == torch.uint8, f"images must be uint8, got {images.dtype}"
    assert tuple(images.shape) == expected, f"shape {tuple(images.shape)}, not {expected}"
    assert int(images.max()) <= dataset.max_value, "a byte is above max_value"
    assert torch.equal(images, dataset.images(some)), "the same indices gave other images"
    assert torch.equal(images.flip(0), dataset.images(some.flip(0))), "the order matters"
    assert torch.equal(images, dataset.images(some.tolist())), "indices as a list are others"
    assert dataset.images([]).shape == (0, *dataset.image_shape), "no indices must be no images"
    for index in (0, -1):
        image, _ = dataset[index]
        assert image.dtype == torch.float32, f"dataset[{index}] must be float32"
        raw = dataset.images([index % n])[0]
        assert torch.equal(image, raw / dataset.max_value), f"dataset[{index}] is another image"
    for bad in ([n], [-1], [0.5]):
        with _refused(f"indices {bad}"):
            dataset.images(bad)
    with _refused("an index beyond the end", IndexError):
        dataset[n]
    if isinstance(dataset, FactorDataset):
        _check_factors(dataset, some)


def _check_factors(dataset: FactorDataset, some: Tensor) -> None:
    factors, space = dataset.factors(some), dataset.space
    expected = (len(some), space.n_factors)
    assert factors.dtype == torch.int64, f"factors must be int64, got {factors.dtype}"
    assert tuple(factors.shape) == expected, f"factors of shape {tuple(factors.shape)}"
    inside = (factors >= 0) & (factors < torch.tensor(space.sizes))
    assert bool(inside.all()), f"factors {factors.tolist()} lie outside of {space.sizes}"
    assert torch.equal(factors.flip(0), dataset.factors(some.flip(0))), "factors depend on order"
    assert torch.equal(dataset[0][1], dataset.factors([0])[0]), "dataset[0] has other factors"


def small_vae(latent_dim: int) -> VAE:
    """A VAE of two linear layers for 8×8 images: small enough for tests in any precision."""
    n_pixels = IMAGE_SHAPE[1] * IMAGE_SHAPE[2]
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(n_pixels, 2 * latent_dim))
    decoder = nn.Sequential(nn.Linear(latent_dim, n_pixels), nn.Unflatten(1, IMAGE_SHAPE))
    return VAE(encoder, decoder, latent_dim)


def small_info_gan(latent_dim: int) -> InfoGAN:
    """An InfoGAN of linear layers for 8×8 images: one category of three, all else continuous."""
    n_pixels, n_continuous, n_noise = IMAGE_SHAPE[1] * IMAGE_SHAPE[2], latent_dim - 1, 2
    generator = nn.Linear(n_continuous + 3 + n_noise, n_pixels)
    return InfoGAN(
        nn.Sequential(generator, nn.Unflatten(1, IMAGE_SHAPE)),
        nn.Sequential(nn.Flatten(), nn.Linear(n_pixels, 16), nn.LeakyReLU(0.1)),
        nn.Linear(16, 1),
        nn.Linear(16, 2 * n_continuous + 3),
        n_continuous,
        categories=(3,),
        n_noise=n_noise,
    )


def _run(criterion: Loss, model: LatentModel, batch: Any, step: int | Tensor | None) -> LossOutput:
    torch.manual_seed(1)
    return criterion(model, batch, step)


def _check_output(
    criterion: Loss, model: LatentModel, batch: Any, x: Tensor, terms: Sequence[str]
) -> None:
    before = x.clone()
    output = _run(criterion, model, batch, 0)
    assert isinstance(output, LossOutput), f"expected a LossOutput, got {type(output).__name__}"
    assert output.loss.shape == (), f"the loss must be a scalar, got {tuple(output.loss.shape)}"
    assert output.loss.isfinite(), f"the loss is {output.loss.item()}"
    assert output.loss.requires_grad, "the loss has no gradient: was it detached?"
    for name in terms:
        assert name in output.terms, f"terms lack {name!r}: {sorted(output.terms)}"
    for name, term in output.terms.items():
        assert isinstance(term, Tensor), f"term {name!r} must be a tensor, without .item()"
        assert term.shape == (), f"term {name!r} must be a scalar, got {tuple(term.shape)}"
        assert not term.requires_grad, f"term {name!r} must be detached"
        assert term.isfinite(), f"term {name!r} is {term.item()}"
    assert torch.equal(x, before), "the loss changed its batch in place"
    again = _run(criterion, model, batch, 0)
    assert torch.equal(output.loss, again.loss), "two calls with one seed differ: it has a state"


def _check_steps(criterion: Loss, model: LatentModel, batch: Any) -> None:
    by_int = _run(criterion, model, batch, 3).loss
    by_tensor = _run(criterion, model, batch, torch.tensor(3)).loss
    assert torch.allclose(by_int, by_tensor), "step 3 as an int and as a tensor differ"
    at_end = _run(criterion, model, batch, None).loss
    assert at_end.isfinite(), "step=None (evaluation) is not finite"


def _check_gradients(criterion: Loss, model: LatentModel, batch: Any) -> None:
    criterion.zero_grad()
    _run(criterion, model, batch, 3).loss.backward()
    for owner in (model, criterion):
        for name, parameter in owner.named_parameters():
            gradient = parameter.grad
            assert gradient is not None, f"no gradient reaches {type(owner).__name__}.{name}"
            assert gradient.isfinite().all(), f"gradient of {type(owner).__name__}.{name}"
    criterion.zero_grad()
    model.zero_grad()


def _check_parameter_groups(criterion: Loss, model: LatentModel) -> None:
    groups = criterion.parameter_groups(model, lr=1e-3)
    grouped = [id(p) for group in groups for p in group["params"]]
    assert len(grouped) == len(set(grouped)), "a parameter stands in two groups"
    wanted = {id(p) for owner in (model, criterion) for p in owner.parameters()}
    assert set(grouped) == wanted, "the groups are not the model's and the loss's parameters"
    torch.optim.Adam(groups)


def _check_bad_input(
    criterion: Loss, model: LatentModel, x: Tensor, make_batch: Callable[[Tensor], Any]
) -> None:
    bad = {
        "a NaN pixel": x.masked_fill(x == x.max(), torch.nan),
        "an infinite pixel": x.masked_fill(x == x.max(), torch.inf),
        "bytes": (255 * x).byte(),
        "values up to 255": 255 * x,
        "no images": x[:0],
        "no channels": x[:, 0],
    }
    for what, images in bad.items():
        with _refused(f"a batch with {what}"):
            criterion(model, make_batch(images), 0)


@contextmanager
def _refused(what: str, *kinds: type[Exception]) -> Iterator[None]:
    kinds = kinds or (ValueError, TypeError)
    try:
        yield
    except kinds:
        return
    raise AssertionError(f"{what} must raise a {' or '.join(kind.__name__ for kind in kinds)}")


class _Constant(nn.Module):
    """An encoder whose log-variances, and logits, are half -20 and half +20, whatever the image."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        log_var = torch.full((n_outputs - n_outputs // 2,), 20.0)
        log_var[::2] = -20.0
        self.moments = nn.Parameter(torch.cat([torch.zeros(n_outputs // 2), log_var]))

    def forward(self, x: Tensor) -> Tensor:
        return self.moments + 0.1 * x.flatten(1)[:, : len(self.moments)]


def _check_extremes(criterion: Loss, model: LatentModel, batch: Any, x: Tensor) -> None:
    extreme: Any = copy.deepcopy(model)
    if hasattr(extreme, "encoder"):
        extreme.encoder = _Constant(extreme.encoder(x).shape[1])
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output = _run(criterion, extreme, batch, 3)
        output.loss.backward()
        where = "bfloat16 autocast" if enabled else "float32"
        assert output.loss.isfinite(), f"not finite at log-variances of ±20 in {where}"
        for name, parameter in extreme.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), f"gradient of {name} in {where}"
        extreme.zero_grad()
    criterion.zero_grad()
