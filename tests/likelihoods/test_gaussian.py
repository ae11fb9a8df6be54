"""A learned standard deviation, and errors on another range than [0, 1]."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import ImageArray
from disvae.likelihoods import Gaussian, Laplace, LearnedGaussian, SquaredError
from disvae.training import load_run

SHAPE = (3, 1, 4, 5)


def images(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, *SHAPE, generator=generator, dtype=torch.float64)


def test_learned_deviation_settles_at_the_root_mean_squared_error() -> None:
    mean, x = images()
    likelihood = LearnedGaussian(std=2.0).double()
    optimizer = torch.optim.LBFGS(likelihood.parameters(), line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = likelihood.nll(mean, x).mean()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    expected = (x - mean).square().mean().sqrt()
    assert likelihood.std.item() == pytest.approx(expected.item(), rel=1e-6)


def test_learned_deviation_is_part_of_the_model_and_of_its_run(tmp_path) -> None:
    data = ImageArray(torch.randint(256, (40, 1, 16, 16)).to(torch.uint8))
    model = BurgessVAE((1, 16, 16), latent_dim=2, likelihood=LearnedGaussian(0.5))
    assert any(parameter is model.likelihood.log_std for parameter in model.parameters())
    trainer = Trainer(model, VAELoss(), lr=1e-2, batch_size=8, run_dir=tmp_path, progress=False)
    trainer.fit(data, steps=5)
    assert model.likelihood.std.item() != pytest.approx(0.5, abs=1e-3)
    again = load_run(tmp_path).model()
    assert again.likelihood.std.item() == model.likelihood.std.item()


@given(
    std=st.floats(0.05, 5),
    low=st.floats(-3, 3),
    width=st.floats(0.1, 300),
    make=st.sampled_from([Gaussian, Laplace, LearnedGaussian]),
)
def test_nats_do_not_depend_on_the_declared_range(std, low, width, make) -> None:
    # The same density of the same image, whatever unit the decoder works in.
    mean, x = images()
    on_range = make(std * width, data_range=(low, low + width))
    unit = make(std)
    torch.testing.assert_close(
        on_range.nll(low + width * mean, x), unit.nll(mean, x), rtol=1e-5, atol=1e-4
    )
    torch.testing.assert_close(on_range.mean(low + width * mean), mean)


def test_squared_error_is_in_the_declared_unit() -> None:
    mean, x = images()
    error = SquaredError(data_range=(-1.0, 1.0)).nll(2 * mean - 1, x)
    torch.testing.assert_close(error, 4 * SquaredError().nll(mean, x))


@pytest.mark.parametrize("make", [Gaussian, Laplace, LearnedGaussian, SquaredError])
@pytest.mark.parametrize("data_range", [(1.0, 1.0), (1.0, -1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_range_must_be_one(make, data_range) -> None:
    with pytest.raises(ValueError, match="data_range must be"):
        make(data_range=data_range)
