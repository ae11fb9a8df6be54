"""``disvae encode``: the posteriors of a run's images, or of one's own, as a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jsonargparse import Namespace

from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.tables import print_json
from disvae.data import FactorDataset, ImageArray, ImageDataset, ImageFolder
from disvae.data.files import reading
from disvae.divergence.parameters import parameters_of
from disvae.files import replacing
from disvae.training import Run, encode_posteriors, load_run

DESCRIPTION = """Encode the images of a finished run's data set, or images of your own, and write
the mean and the log-variance of each posterior, a row per image, with the factors if they are
known: a .npz file with "mean", "log_var", "indices", "factors" and "factor_names", or a .csv file
with a column per number. Of a categorical dimension the "mean" is its most probable category, and
"logits_6" say those of dimension 6. What disvae evaluate --codes reads."""


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("encode", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--images",
        metavar="FOLDER|FILE",
        help="images of your own: a folder of pictures, which are cut to a square and resized, or "
        "a .npy file of bytes (n, height, width) or (n, channels, height, width)",
    )
    parser.add_argument(
        "--points", type=int | None, default=None, help="so many images, drawn at random; else all"
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses the images of --points")
    parser.add_argument(
        "--output", default=None, help=".npz or .csv file; RUN/codes.npz if not given"
    )
    parser.add_argument(
        "--best", action="store_true", help="the weights at the best log point, not the last ones"
    )
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments)
    finished = load_run(options.run)
    output = Path(options.output or finished.path / "codes.npz")
    if output.suffix not in (".npz", ".csv"):
        raise ValueError(f"--output must be a .npz or .csv file, got {output}")
    model = finished.model(best=options.best)
    data = _own_images(options.images, finished) if options.images else finished.data()
    indices = _chosen(options, len(data))
    posterior = encode_posteriors(model, data, indices, progress=not options.json)
    arrays = _described(posterior)
    arrays["indices"] = indices.numpy()
    names: tuple[str, ...] = ()
    if isinstance(data, FactorDataset):
        arrays["factors"], names = data.factors(indices).numpy(), data.space.names
    _write(output, arrays, names)
    if options.json:
        shape = list(arrays["mean"].shape)
        print_json({"file": str(output), "shape": shape, "factors": list(names)})
    else:
        print(f"wrote the codes of {len(indices):,} images: {output}")


def _described(posterior: Any) -> dict[str, Any]:
    """Codes, log-variances of what is continuous, and logits of what is not, by name."""
    parameters = parameters_of(posterior)
    log_var = 2 * parameters["scale"].log()
    logits = {k: v.numpy() for k, v in parameters.items() if k.startswith("logits")}
    return {"mean": posterior.loc.numpy(), "log_var": log_var.numpy(), **logits}


def _chosen(options: Namespace, n_images: int) -> torch.Tensor:
    """The indices of the images to encode, in order."""
    if options.points is None:
        return torch.arange(n_images)
    if not 1 <= options.points <= n_images:
        raise ValueError(f"--points must be from 1 to {n_images}, got {options.points}")
    order = torch.randperm(n_images, generator=torch.Generator().manual_seed(options.seed))
    return order[: options.points].sort().values


def _own_images(name: str, finished: Run) -> ImageDataset:
    """Images from outside of the run, of the shape that its model takes."""
    path = Path(name)
    channels, height, width = _image_shape(finished)
    if path.is_dir():
        if height != width:
            raise ValueError(f"pictures become squares, but the model takes {height}×{width}")
        return ImageFolder(path, size=height, channels=channels)
    if path.suffix != ".npy":
        raise ValueError(f"--images must be a folder of pictures or a .npy file, got {path}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    with reading(path):
        array = np.load(path, allow_pickle=False)
    data = ImageArray(array, max_value=255 if array.size and array.max() > 1 else 1)
    if data.image_shape != (channels, height, width):
        raise ValueError(
            f"{path} holds images of shape {data.image_shape} (channels, height, width), but the "
            f"model takes {(channels, height, width)}"
        )
    return data


def _image_shape(finished: Run) -> tuple[int, int, int]:
    """What the model takes: its own argument, or the shape of the images it was trained on."""
    own = (finished.config["model"] or {}).get("init_args", {}).get("image_shape")
    channels, height, width = own or finished.data().image_shape
    return channels, height, width


def _write(output: Path, arrays: dict[str, Any], names: tuple[str, ...]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".npz":
        with replacing(output) as file:
            np.savez_compressed(file, **arrays, factor_names=np.array(names, dtype=np.str_))
        return
    tables = {name: part for name, part in arrays.items() if name not in ("indices", "factors")}
    columns = [f"{name}_{j}" for name, part in tables.items() for j in range(part.shape[1])]
    rows = np.column_stack([arrays["indices"], *tables.values()])
    formats = ["%d", *["%.7g"] * len(columns), *["%d"] * len(names)]
    if names:
        rows = np.column_stack([rows, arrays["factors"]])
    header = ",".join(["index", *columns, *names])
    with replacing(output) as file:
        np.savetxt(file, rows, fmt=formats, delimiter=",", header=header, comments="")
