"""``disvae sample``: new images, decoded from codes that are drawn from the prior."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disvae.cli.parsing import RUN, make_parser, parse
from disvae.cli.tables import print_json
from disvae.files import replacing
from disvae.models import LatentModel
from disvae.training import load_run

DESCRIPTION = """Draw codes from the prior and write the mean images that a finished run's model
decodes them to: a folder of .png files, or one .npz file with "images" (n, channels, height, width)
in [0, 1] and their "codes". The same seed and number draw the same images."""

BATCH = 256  # images decoded at once


def run(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = make_parser("sample", DESCRIPTION)
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument("--n", type=int, default=64, help="number of images")
    parser.add_argument("--seed", type=int, default=0, help="chooses the codes")
    parser.add_argument(
        "--output", default=None, help="folder, or .npz file; RUN/samples if not given"
    )
    parser.add_argument(
        "--best", action="store_true", help="the weights at the best log point, not the last ones"
    )
    parser.add_argument("--json", action="store_true", help="print what was written, as JSON")
    options = parse(parser, arguments)
    if options.n < 1:
        raise ValueError(f"--n must be at least 1, got {options.n}")
    finished = load_run(options.run)
    output = Path(options.output or finished.path / "samples")
    images, codes = _draw(finished.model(best=options.best), options.n, options.seed)
    files = _write(images, codes, output)
    if options.json:
        facts = {"n": options.n, "seed": options.seed, "shape": list(images.shape[1:])}
        print_json({**facts, "files": [str(file) for file in files]})
    else:
        print(f"wrote {options.n} images: {output}")


@torch.no_grad()
def _draw(
    model: LatentModel, n: int, seed: int
) -> tuple[Float[Tensor, "n channels height width"], Float[Tensor, "n latent_dim"]]:
    """Mean images of codes from the prior, and the codes."""
    generator = torch.Generator().manual_seed(seed)
    codes = model.draw(n, generator).float().cpu()
    weight = next(model.parameters())
    images = [model.images_of(z.to(weight), generator) for z in codes.split(BATCH)]
    return torch.cat(images).float().clamp(0, 1), codes


def _write(images: Tensor, codes: Tensor, output: Path) -> list[Path]:
    """Write the images, and say into which files."""
    if output.suffix == ".npz":
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as file:
            np.savez_compressed(file, images=images.numpy(), codes=codes.numpy())
        return [output]
    if output.suffix:
        raise ValueError(f"--output must be a folder or a .npz file, got {output}")
    if images.shape[1] not in (1, 3):
        raise ValueError(f"a .png has 1 or 3 channels, not {images.shape[1]}: give --output X.npz")
    from PIL import Image

    output.mkdir(parents=True, exist_ok=True)
    files = [output / f"{number:05d}.png" for number in range(len(images))]
    if more := {*output.glob("*.png")} - {*files}:
        raise ValueError(
            f"{output} holds {len(more)} other pictures, such as {min(more).name}, which would "
            "pass for samples of this call: remove them, or give another --output"
        )
    pixels = (images * 255).round().byte().permute(0, 2, 3, 1).squeeze(3).numpy()
    for path, picture in zip(files, pixels, strict=True):
        with replacing(path) as file:
            Image.fromarray(picture).save(file, "PNG")
    return files
