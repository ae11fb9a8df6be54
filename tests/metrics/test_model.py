"""Metrics of a model: what is encoded, once, and kept."""

import numpy as np
import pytest
import torch

from disvae import BurgessVAE
from disvae.data import Sprites, random_subset
from disvae.data.encode import encode_dataset
from disvae.metrics import evaluate, evaluate_model, mig, posterior_mig
from disvae.metrics.model import encode_once, some_indices
from disvae.models import BurgessMixedVAE, BurgessQLAE

CHOSEN = ["MIG", "FactorVAE score"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return BurgessVAE((1, 64, 64), latent_dim=3).eval()


@pytest.fixture(scope="module")
def data():
    return random_subset(Sprites(), 80)


def test_scores_are_those_of_the_codes(model, data) -> None:
    scores = evaluate_model(model, data, n=60, seed=2, metrics=CHOSEN, progress=False)
    indices = some_indices(data, 60, 2)
    assert len(indices.unique()) == 60
    codes = encode_dataset(model, data, indices)
    assert scores == evaluate(codes, data.factors(indices), seed=2, metrics=CHOSEN)
    assert set(scores["MIG"].per_factor) == set(data.space.names)


def test_all_metrics_include_those_of_the_posteriors(model, data) -> None:
    scores = evaluate_model(model, data, progress=False)
    posterior = encode_once(model, data, torch.arange(80), progress=False)
    assert scores["MIG of posteriors"] == posterior_mig(posterior, data.factors(range(80)))
    assert scores["MIG"] == mig(posterior.loc, data.factors(range(80)))
    assert "AAM of posteriors" in scores


def test_codes_are_kept_and_read_again(model, data, tmp_path, monkeypatch) -> None:
    file = tmp_path / "new" / "codes.npz"

    def score(**settings):
        return evaluate_model(
            model, data, n=50, metrics=["MIG"], cache=file, progress=False, **settings
        )

    first = score()
    written = file.read_bytes()

    def forbidden(*_):
        raise AssertionError("encoded twice")

    with monkeypatch.context() as patch:
        patch.setattr("disvae.metrics.model.encode_posteriors", forbidden)
        assert score() == first
        with pytest.raises(AssertionError, match="encoded twice"):
            score(seed=1)  # other images
    torch.manual_seed(1)
    other = BurgessVAE((1, 64, 64), latent_dim=3).eval()
    found = evaluate_model(other, data, n=50, metrics=["MIG"], cache=file, progress=False)
    assert file.read_bytes() != written  # other weights
    assert found == evaluate_model(other, data, n=50, metrics=["MIG"], progress=False)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"not an archive"])
def test_a_damaged_file_is_written_again(model, data, tmp_path, content) -> None:
    file = tmp_path / "codes.npz"
    file.write_bytes(content)
    evaluate_model(model, data, n=50, metrics=["MIG"], cache=file, progress=False)
    with np.load(file) as archive:
        assert archive["mean"].shape == archive["std"].shape == (50, 3)


def test_too_few_images(model, data) -> None:
    with pytest.raises(ValueError, match="n of 2 images at least, got 1"):
        evaluate_model(model, data, n=1)


@pytest.mark.parametrize(
    "discrete_model",
    [
        lambda: BurgessMixedVAE((1, 64, 64), n_continuous=2, categories=(3, 2)),
        lambda: BurgessQLAE((1, 64, 64), latent_dim=3, n_values=4),
    ],
)
def test_a_model_says_which_of_its_dimensions_are_discrete(discrete_model, data, tmp_path) -> None:
    torch.manual_seed(0)
    model = discrete_model().eval()
    file = tmp_path / "codes.npz"
    wanted = ["FactorVAE score", "InfoE"]
    scores = evaluate_model(model, data, metrics=wanted, cache=file, progress=False)
    codes, factors = encode_dataset(model, data, torch.arange(80)), data.factors(range(80))
    assert scores == evaluate(codes, factors, discrete=model.discrete, metrics=wanted)
    assert scores != evaluate(codes, factors, metrics=wanted)
    posterior = encode_once(model, data, torch.arange(80), file, progress=False)  # read again
    fresh = encode_once(model, data, torch.arange(80), progress=False)
    for kept, computed in zip(posterior.logits, fresh.logits, strict=True):
        torch.testing.assert_close(kept, computed)
    assert torch.equal(posterior.loc, codes)
    everything = evaluate_model(model, data, cache=file, progress=False)
    expected = posterior_mig(fresh, factors)
    assert everything["MIG of posteriors"] == pytest.approx(expected, rel=1e-4)
