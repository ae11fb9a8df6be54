"""An exported file gives the model's numbers, or there is no file."""

import pytest
import torch
from torch import nn

import disvae.models
from disvae.likelihoods import Gaussian, LearnedGaussian, SquaredError, Tanh
from disvae.models import (
    MLPVAE,
    VAE,
    BurgessMixedVAE,
    BurgessQLAE,
    BurgessVAE,
    export_onnx,
    export_program,
)

NETWORKS = [  # all that the package has: a new one is tested without being named here
    network
    for network in vars(disvae.models).values()
    if isinstance(network, type) and issubclass(network, VAE) and network is not VAE
]
each_export = pytest.mark.parametrize("export", [export_onnx, export_program])


def run(file, x):
    """What a file gives, by a reading of its own."""
    if file.path.suffix == ".pt2":
        found = torch.export.load(file.path).module()(x)
        return [found] if isinstance(found, torch.Tensor) else list(found)
    import onnxruntime

    session = onnxruntime.InferenceSession(file.path, providers=["CPUExecutionProvider"])
    assert [part.name for part in session.get_inputs()] == list(file.inputs)
    assert [part.name for part in session.get_outputs()] == list(file.outputs)
    return [torch.from_numpy(y) for y in session.run(None, {next(iter(file.inputs)): x.numpy()})]


def check(files, model, x, atol=1e-4):
    encoder, decoder = files
    z = torch.randn(len(x), model.latent_dim)
    with torch.no_grad():
        posterior = model.encode(x)
        mean, log_var = run(encoder, x)
        (images,) = run(decoder, z)
        torch.testing.assert_close(mean, posterior.mean, atol=atol, rtol=1e-4)
        torch.testing.assert_close(log_var, posterior.variance.log(), atol=atol, rtol=1e-4)
        expected = model.likelihood.mean(model.decode(z))
        torch.testing.assert_close(images, expected, atol=atol, rtol=1e-4)


@each_export
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network(export, network, tmp_path) -> None:
    side = 28 if network.__name__ in ("ChestMNISTVAE", "JhaVAE") else 16
    model, x = network(image_shape=(1, side, side)), torch.rand(3, 1, side, side)
    with torch.no_grad():  # statistics and weights unlike the first ones
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.mul_(1 + 0.1 * torch.rand_like(tensor)).add_(1e-3)
    files = export(model, tmp_path)
    assert all(0 <= file.largest_difference < 1e-4 for file in files)
    assert model.training  # as it was
    check(files, model.eval(), x)
    check(files, model, x[:1])
    suffix = files[0].path.suffix
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"decoder{suffix}", f"encoder{suffix}"]
    assert files[0].inputs == {"images": ["batch", *x.shape[1:]]}
    assert files[0].outputs["log_var"] == ["batch", model.latent_dim]
    assert files[1].outputs == {"images": ["batch", *x.shape[1:]]}


@each_export
@pytest.mark.parametrize(
    "model",
    [
        BurgessVAE((3, 20, 36), 3, Tanh(SquaredError(data_range=(-1.0, 1.0)))),  # padded
        MLPVAE((2, 3, 5), 2, (7,), LearnedGaussian()).double(),
    ],
    ids=["padded", "double"],
)
def test_shapes_likelihoods_and_precision(export, model, tmp_path) -> None:
    files = export(model, tmp_path)
    check(files, model.float().eval(), torch.rand(4, *files[0].inputs["images"][1:]))


class OtherWhenExported(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.network(x)
        return y + 0.01 if torch.compiler.is_compiling() else y


def other_when_exported(part: str) -> VAE:
    networks = {
        "encoder": nn.Sequential(nn.Flatten(), nn.Linear(64, 6)),
        "decoder": nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8))),
    }
    networks[part] = OtherWhenExported(networks[part])
    return VAE(**networks, latent_dim=3, likelihood=Gaussian())


@each_export
@pytest.mark.parametrize(
    ("part", "what"), [("encoder", r"0\.01 in the mean"), ("decoder", r"0\.01 in the images")]
)
def test_a_mismatch_is_an_error_that_names_it(export, part, what, tmp_path) -> None:
    model = other_when_exported(part)
    with pytest.raises(ValueError, match=rf"{part}\.(onnx|pt2) differs from the model by {what}"):
        export(model, tmp_path)
    assert not [path for path in tmp_path.iterdir() if part in path.name]
    if part == "encoder":
        return
    files = export(model, tmp_path, tolerance=0.02)
    assert max(file.largest_difference for file in files) == pytest.approx(0.01, rel=1e-3)


@each_export
@pytest.mark.parametrize(
    ("make", "names"),
    [
        (
            lambda: BurgessMixedVAE((1, 16, 16), 2, (3, 2)),
            ["mean", "log_var", "logits_2", "logits_3"],
        ),
        (lambda: BurgessMixedVAE((1, 16, 16), 0, (3,)), ["logits_0"]),
        (lambda: BurgessQLAE((1, 16, 16), 3, 4), ["code"]),
    ],
    ids=["mixed", "categorical", "qlae"],
)
def test_codes_with_categories(export, make, names, tmp_path) -> None:
    model, x = make().eval(), torch.rand(4, 1, 16, 16)
    encoder, decoder = export(model, tmp_path)
    assert list(encoder.outputs) == names
    found = dict(zip(names, run(encoder, x), strict=True))
    with torch.no_grad():
        for name, expected in model.describe_posterior(x).items():
            torch.testing.assert_close(found[name], expected, atol=1e-4, rtol=1e-4)
        codes = model.represent(x)
        (images,) = run(decoder, codes)
        expected = model.likelihood.mean(model.decode(codes))
        torch.testing.assert_close(images, expected, atol=1e-4, rtol=1e-4)
    if "logits_2" in found:
        assert torch.equal(found["logits_2"].argmax(1), codes[:, 2].long())
