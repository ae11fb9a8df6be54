import io

import pytest
import torch
from PIL import Image
from torch import nn

from disvae import VAE
from disvae.data import ImageArray
from disvae.explore import explore, explore_run, interpolate
from disvae.explore.explorer import reach
from disvae.likelihoods import Gaussian
from disvae.plots import mean_kl
from disvae.training import load_run


class Moments(nn.Module):
    """The first three pixels, times 1, 10 and 0, are the means; the variances are 1."""

    def forward(self, x):
        mean = x.flatten(1)[:, :3] * torch.tensor([1.0, 10.0, 0.0])
        return torch.cat([mean, torch.zeros_like(mean)], 1)


def toy(image):
    decoder = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, (1, 2, 2)))
    model = VAE(Moments(), decoder, latent_dim=3, likelihood=Gaussian()).eval()
    pixels = torch.tensor(image, dtype=torch.uint8).reshape(1, 1, 2, 2)
    return model, ImageArray(pixels.numpy())


def test_kl_and_reach_are_those_of_the_posteriors():
    model, data = toy([255, 102, 0, 0])  # means of 1, 4 and 0
    explorer = explore(model, data)
    assert explorer.kl == pytest.approx((0.5, 8.0, 0.0))
    assert explorer.order == [1, 0, 2]
    assert explorer.reach == 4


def test_a_code_decodes_to_the_models_image(explorer, run):
    model = load_run(run).model()
    code = (0.5, -1.25, 3.0)
    with torch.no_grad():
        expected = model.likelihood.mean(model.decode(torch.tensor([code])))[0]
    assert explorer.decode(code).equal(expected)
    assert not explorer.decode((0.5, -1.25, 2.0)).allclose(expected, atol=1e-3)


def test_start_is_the_image_its_code_and_its_reconstruction(explorer, run):
    start = explorer.start_at(7)
    finished = load_run(run)
    model = finished.model()
    x = finished.data().floats(torch.tensor([7]))
    with torch.no_grad():
        code = model.represent(x)[0]
        assert (start.reconstruction - model.reconstruct(x)[0]).abs().mean() < 0.01
    assert start.original.equal(x[0])
    assert start.code == pytest.approx(code.tolist(), abs=0.0051)
    assert explorer.decode(start.code).equal(start.reconstruction)
    assert start.kl == pytest.approx(mean_kl(model, x).tolist())


def test_the_data_sets_kl_is_the_mean(explorer, run):
    finished = load_run(run)
    images = finished.data().floats(torch.arange(20))
    assert explorer.kl == pytest.approx(mean_kl(finished.model(), images).tolist(), rel=1e-5)


@pytest.mark.parametrize("index", [-1, 20])
def test_an_image_that_does_not_exist_is_refused(explorer, index):
    with pytest.raises(ValueError, match=f"the image must be from 0 to 19, got {index}"):
        explorer.start_at(index)


def test_a_picture_of_ones_own_gets_the_models_shape(explorer):
    file = io.BytesIO()
    Image.new("RGB", (100, 50), "white").save(file, "PNG")
    start = explorer.start_from(file.getvalue())
    assert start.original.equal(torch.ones(1, 64, 64))
    assert start.code != explorer.start_at(0).code
    with pytest.raises(ValueError, match="the file is damaged"):
        explorer.start_from(b"nothing")


def test_a_code_of_another_length_is_refused(explorer):
    with pytest.raises(ValueError, match="expected a code of 3 numbers, got 2"):
        explorer.decode((1.0, 2.0))


def test_interpolation_is_straight_and_ends_at_its_ends():
    a, b = (0.0, 2.0, -1.5), (1.0, -2.0, -1.5)
    assert interpolate(a, b, 0.0) == a
    assert interpolate(a, b, 1.0) == b
    assert interpolate(a, b, 0.5) == (0.5, 0.0, -1.5)


def test_reach_is_whole_and_has_a_least():
    assert reach([0.1, -2.9]) == 3
    assert reach([0.1, -3.2]) == 4
    assert reach([5.0], least=7) == 7


def test_codes_that_are_not_finite_are_refused():
    model, data = toy([1, 2, 3, 4])
    model.encoder.register_forward_hook(lambda module, x, moments: moments * float("nan"))
    with pytest.raises(ValueError, match="its training has diverged"):
        explore(model, data)


def test_a_run_without_weights_is_refused(run, tmp_path):
    (tmp_path / "config.yaml").write_text((run / "config.yaml").read_text())
    with pytest.raises(FileNotFoundError, match="training has not ended"):
        explore_run(tmp_path)
