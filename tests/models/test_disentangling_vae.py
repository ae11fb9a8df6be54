"""A model of ``disentangling-vae`` gives here what its own network gives.

The oracle is that network written out once more, in functions, from the table of its weights.
"""

from functools import partial

import pytest
import torch
from results_folder import LAYERS, weights, write_results
from torch.nn import functional as F

from disvae.models import load_disentangling_vae


def encode(state, x):
    layer = {
        name: (state[f"{name}.weight"], state[f"{name}.bias"])
        for name in LAYERS
        if f"{name}.weight" in state
    }
    for name in ("conv1", "conv2", "conv3", "conv_64"):
        if f"encoder.{name}" in layer:
            x = F.conv2d(x, *layer[f"encoder.{name}"], stride=2, padding=1).relu()
    x = x.reshape(len(x), 512)
    for name in ("lin1", "lin2"):
        x = F.linear(x, *layer[f"encoder.{name}"]).relu()
    both = F.linear(x, *layer["encoder.mu_logvar_gen"])
    return both[:, 0::2], both[:, 1::2]


def decode(state, z):
    layer = {
        name: (state[f"{name}.weight"], state[f"{name}.bias"])
        for name in LAYERS
        if f"{name}.weight" in state
    }
    for name in ("lin1", "lin2", "lin3"):
        z = F.linear(z, *layer[f"decoder.{name}"]).relu()
    z = z.reshape(len(z), 32, 4, 4)
    for name in ("convT_64", "convT1", "convT2"):
        if f"decoder.{name}" in layer:
            z = F.conv_transpose2d(z, *layer[f"decoder.{name}"], stride=2, padding=1).relu()
    return F.conv_transpose2d(z, *layer["decoder.convT3"], stride=2, padding=1).sigmoid()


SPECS = {"img_size": [1, 32, 32], "latent_dim": 4, "model_type": "Burgess"}


@pytest.fixture
def write(tmp_path):
    return partial(write_results, tmp_path)


@pytest.mark.parametrize("rec_dist", ["bernoulli", "gaussian", "laplace"])
@pytest.mark.parametrize(("channels", "side", "latent_dim"), [(1, 32, 4), (3, 64, 10)])
def test_same_numbers_as_the_original(write, channels, side, latent_dim, rec_dist) -> None:
    state = weights(channels, side, latent_dim)
    shape = [channels, side, side]
    specs = {"img_size": shape, "latent_dim": latent_dim, "model_type": "Burgess"}
    model = load_disentangling_vae(write(state, **specs, rec_dist=rec_dist, lr=5e-4))
    assert not model.training
    x, z = torch.rand(3, *shape), torch.randn(3, latent_dim)
    mean, log_var = encode(state, x)
    assert mean.std() > 0.01
    with torch.no_grad():
        posterior = model.encode(x)
        torch.testing.assert_close(posterior.mean, mean)
        torch.testing.assert_close(posterior.variance.log(), log_var, rtol=1e-4, atol=1e-5)
        images = model.likelihood.mean(model.decode(z))
        torch.testing.assert_close(images, decode(state, z))
        torch.testing.assert_close(model.reconstruct(x), decode(state, mean))


def test_files_of_old_versions_of_pytorch(write) -> None:
    state = weights(1, 32, 4)
    folder = write(state, **SPECS)
    expected = load_disentangling_vae(folder).state_dict()
    torch.save(state, folder / "model.pt", _use_new_zipfile_serialization=False)
    found = load_disentangling_vae(folder).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    content = (folder / "model.pt").read_bytes()
    (folder / "model.pt").write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"model\.pt cannot be read"):
        load_disentangling_vae(folder)


def test_losses_are_the_original_s_up_to_a_constant(write) -> None:
    state = weights(1, 32, 4)
    x, y = torch.rand(2, 2, 1, 32, 32)
    z = torch.randn(2, 4)
    recon = decode(state, z)
    losses = {
        "bernoulli": lambda x: F.binary_cross_entropy(recon, x, reduction="none"),
        "gaussian": lambda x: (255 * recon - 255 * x) ** 2 / 255,
        "laplace": lambda x: 3 * (recon - x).abs(),
    }
    for name, loss in losses.items():
        model = load_disentangling_vae(
            write(state, img_size=[1, 32, 32], latent_dim=4, rec_dist=name)
        )
        with torch.no_grad():
            parameters = model.decode(z)
            found = model.likelihood.nll(parameters, x) - model.likelihood.nll(parameters, y)
        torch.testing.assert_close(found, (loss(x) - loss(y)).sum((1, 2, 3)), rtol=1e-3, atol=1e-2)


class Evil:
    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "Locatello"}, "describes no Burgess network"),
        ({"img_size": [1, 28, 28]}, "describes no Burgess network"),
        ({"rec_dist": "cauchy"}, "describes no Burgess network"),
        ({"latent_dim": None}, "does not say img_size and latent_dim"),
        ({"img_size": [32, 32]}, "does not say img_size and latent_dim"),
        ({"latent_dim": 5}, r"shape \(8, 256\) under 'encoder.mu_logvar_gen.weight'"),
        ({"img_size": [1, 64, 64]}, "has nothing under 'encoder.conv_64.weight'"),
    ],
)
def test_other_networks_are_refused(write, change, message) -> None:
    with pytest.raises(ValueError, match=message):
        load_disentangling_vae(write(weights(1, 32, 4), **{**SPECS, **change}))


def test_objects_are_not_unpickled(write, capsys) -> None:
    with pytest.raises(ValueError, match="never unpickled"):
        load_disentangling_vae(write({"encoder": Evil()}, **SPECS))
    assert "unpickled" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="holds a list, not named weights"):
        load_disentangling_vae(write([torch.zeros(1)], **SPECS))


def test_missing_and_damaged_files(write) -> None:
    folder = write(weights(1, 32, 4), **SPECS)
    content = (folder / "model.pt").read_bytes()
    (folder / "model.pt").write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"model\.pt cannot be read"):
        load_disentangling_vae(folder)
    (folder / "model.pt").unlink()
    with pytest.raises(FileNotFoundError, match=r"has model\.pt and"):
        load_disentangling_vae(folder)
    (folder / "specs.json").write_text("{")
    with pytest.raises(ValueError, match="does not say img_size"):
        load_disentangling_vae(folder)
