"""The decomposition over a whole data set against the exact one of the same posteriors."""

import pytest
import torch

from disvae import BurgessVAE
from disvae.data import ImageArray
from disvae.divergence import exact_decomposition
from disvae.training import decompose_dataset, encode_posteriors


@pytest.fixture
def model_and_data():
    torch.manual_seed(0)
    images = torch.randint(256, (300, 1, 16, 16)).to(torch.uint8)
    return BurgessVAE((1, 16, 16), latent_dim=3), ImageArray(images)


def test_posteriors_are_those_of_the_images(model_and_data) -> None:
    model, data = model_and_data
    indices = torch.tensor([5, 2, 299])
    posterior = encode_posteriors(model, data, indices, batch_size=2, progress=False)
    expected = model.encode(data.images(indices) / 255)
    torch.testing.assert_close(posterior.loc, expected.loc.detach())
    torch.testing.assert_close(posterior.scale, expected.scale.detach())


def test_decomposition_is_that_of_the_whole_data_set(model_and_data) -> None:
    model, data = model_and_data
    generator = torch.Generator().manual_seed(0)
    measured = decompose_dataset(model, data, 300, generator=generator, progress=False)
    assert (measured.n_codes, measured.n_images) == (300, 300)
    posterior = encode_posteriors(model, data, progress=False)
    expected = exact_decomposition(posterior, generator=generator)  # other draws
    for mean, error, truth in zip(*measured[:2], expected, strict=True):
        assert abs(mean - truth) < 5 * error
    again = torch.Generator().manual_seed(0)
    assert decompose_dataset(model, data, 300, generator=again, progress=False) == measured


def test_nothing_to_encode(model_and_data) -> None:
    model, data = model_and_data
    with pytest.raises(ValueError, match="got no indices"):
        encode_posteriors(model, data, torch.arange(0), progress=False)
