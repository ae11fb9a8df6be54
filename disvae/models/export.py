"""A model as files that run without this library, each checked against the model.

The encoder takes images to the posterior's means and log-variances, or what else the model has of
it, the decoder takes codes to mean images; of either a batch may have any size.
"""

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disvae.extras import need
from disvae.models.latent import Codes, Images, LatentModel

BATCHES = (1, 2, 7)  # sizes to check with; one image is where a fixed size would show first


@dataclass(frozen=True)
class Exported:
    """A file that an export has written.

    Attributes:
        path: the file.
        inputs: names and shapes of its inputs, "batch" for any number.
        outputs: names and shapes of its outputs.
        largest_difference: between its outputs and the model's, on random inputs.
    """

    path: Path
    inputs: dict[str, list[str | int]]
    outputs: dict[str, list[str | int]]
    largest_difference: float


def export_onnx(model: LatentModel, folder: str | Path, tolerance: float = 1e-4) -> list[Exported]:
    """Write the encoder and the decoder as ``encoder.onnx`` and ``decoder.onnx``.

    Both are run by onnxruntime on random batches of several sizes, and compared with the model as
    it is in evaluation mode, in float32 and on the CPU. Needs ``pip install 'disvae[onnx]'``.

    Args:
        model: any; its networks must consist of what ONNX has.
        folder: made if it does not exist.
        tolerance: largest difference that is allowed, times the largest number that the model
            gives where that is above 1.

    Returns:
        The two files, with the difference that was found.

    Raises:
        ValueError: a file gives other numbers than the model, and is removed.
        MissingExtraError: if onnx, onnxscript or onnxruntime is not installed.
    """
    need("onnx", "an ONNX file")
    import onnxruntime

    def write(program: torch.export.ExportedProgram, part: "_Part", path: Path) -> None:
        torch.onnx.export(
            program,
            part.example(2),
            str(path),
            dynamo=True,
            verbose=False,
            external_data=False,
            input_names=[part.input_name],
            output_names=[*part.output_names],
        )

    def run(path: Path) -> Callable[[Tensor], tuple[Tensor, ...]]:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda x: tuple(map(torch.from_numpy, session.run(None, {name: x.numpy()})))

    return _export(model, Path(folder), ".onnx", write, run, tolerance)


def export_program(
    model: LatentModel, folder: str | Path, tolerance: float = 1e-4
) -> list[Exported]:
    """Write the encoder and the decoder as programs of ``torch.export``.

    They are ``encoder.pt2`` and ``decoder.pt2``, which ``torch.export.load(path).module()`` reads.
    Both are read again and compared with the model, as :func:`export_onnx` does it.

    Args:
        model: any.
        folder: made if it does not exist.
        tolerance: see :func:`export_onnx`.

    Returns:
        The two files, with the difference that was found.

    Raises:
        ValueError: a file gives other numbers than the model, and is removed.
    """

    def write(program: torch.export.ExportedProgram, part: "_Part", path: Path) -> None:
        torch.export.save(program, path)

    def run(path: Path) -> Callable[[Tensor], tuple[Tensor, ...]]:
        module = torch.export.load(path).module()
        return lambda x: _as_tuple(module(x))

    return _export(model, Path(folder), ".pt2", write, run, tolerance)


def _export(
    model: LatentModel,
    folder: Path,
    suffix: str,
    write: Callable[[torch.export.ExportedProgram, "_Part", Path], None],
    run: Callable[[Path], Callable[[Tensor], tuple[Tensor, ...]]],
    tolerance: float,
) -> list[Exported]:
    folder.mkdir(parents=True, exist_ok=True)
    model = copy.deepcopy(model).cpu().float().eval()
    # By their contract a decoder's parameters have the shape of the images.
    with torch.no_grad():
        image_shape = tuple(model.decode(torch.zeros(1, model.latent_dim)).shape[1:])
    parts = (_Encoder(model, image_shape), _Decoder(model, image_shape))
    return [_export_part(part, folder, suffix, write, run, tolerance) for part in parts]


def _export_part(
    part: "_Part", folder: Path, suffix: str, write: Any, run: Any, tolerance: float
) -> Exported:
    path = folder / f"{part.name}{suffix}"
    with TemporaryDirectory(dir=folder, prefix=f".{part.name}-") as unchecked_folder:
        unchecked = Path(unchecked_folder) / path.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's, on its own insides
            program = torch.export.export(
                part, part.example(2), dynamic_shapes=({0: torch.export.Dim("batch")},)
            )
            write(program, part, unchecked)
            difference, outputs = _compare(part, run(unchecked), path, tolerance)
        unchecked.replace(path)
    inputs = {part.input_name: _shape(part.example(1)[0])}
    return Exported(path, inputs, outputs, difference)


@torch.no_grad()
def _compare(
    part: "_Part", exported: Callable[[Tensor], tuple[Tensor, ...]], path: Path, tolerance: float
) -> tuple[float, dict[str, list[str | int]]]:
    """The largest difference, and the shapes of the outputs by name."""
    largest, shapes = 0.0, {}
    for batch in BATCHES:
        (x,) = part.example(batch)
        found, expected = exported(x), _as_tuple(part(x))
        for name, ours, theirs in zip(part.output_names, expected, found, strict=True):
            shapes[name] = _shape(ours)
            if ours.shape != theirs.shape:
                raise ValueError(
                    f"{path.name} gives a {name} of shape {tuple(theirs.shape)} where the model "
                    f"gives {tuple(ours.shape)}: it is of no use, and was not kept"
                )
            difference = (ours - theirs).abs().max().item()
            allowed = tolerance * max(1.0, ours.abs().max().item())
            if not difference <= allowed:  # nan too
                raise ValueError(
                    f"{path.name} differs from the model by {difference:.3g} in the {name}, more "
                    f"than {allowed:.3g}: the {part.name} does something else when exported, and "
                    "the file was not kept; raise the tolerance if you can live with that"
                )
            largest = max(largest, difference)
    return largest, shapes


def _shape(x: Tensor) -> list[str | int]:
    return ["batch", *x.shape[1:]]


def _as_tuple(outputs: Any) -> tuple[Tensor, ...]:
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)


class _Part(nn.Module, ABC):
    """Half of a model, as a function of one tensor."""

    name: str
    input_name: str
    output_names: tuple[str, ...]

    def __init__(self, model: Any, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.model = model
        self.image_shape = image_shape

    @abstractmethod
    def example(self, batch: int) -> tuple[Tensor]:
        """A random input, the same each time."""


class _Encoder(_Part):
    name, input_name = "encoder", "images"

    def __init__(self, model: Any, image_shape: tuple[int, ...]) -> None:
        super().__init__(model, image_shape)
        with torch.no_grad():
            self.output_names = tuple(model.describe_posterior(*self.example(1)))

    def example(self, batch: int) -> tuple[Tensor]:
        generator = torch.Generator().manual_seed(batch)
        return (torch.rand(batch, *self.image_shape, generator=generator),)

    def forward(self, images: Images) -> tuple[Tensor, ...]:
        return tuple(self.model.describe_posterior(images).values())


class _Decoder(_Part):
    name, input_name, output_names = "decoder", "codes", ("images",)

    def example(self, batch: int) -> tuple[Tensor]:
        generator = torch.Generator().manual_seed(batch)
        return (torch.randn(batch, self.model.latent_dim, generator=generator),)

    def forward(self, codes: Codes) -> Float[Tensor, "batch channels height width"]:
        return self.model.likelihood.mean(self.model.decode(codes))
