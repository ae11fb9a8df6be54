"""Does a categorical dimension find the shape of sprites, without being told of it?

    python benchmarks/discrete.py --output runs/bench

The slices: "shape", the three images in which nothing but the shape varies; and "near", in which
orientations of 0, 9 and 18 degrees and positions one pixel apart vary too, 36 images. The model has
two Gaussian dimensions and one of three categories. Capacity is given to the categories first, and
slowly: a category that is certain of the same for two shapes has as many nats as one that tells
them apart, and as long as there are fewer than log 3, the images decide between the two. Then comes
a little for the Gaussian dimensions.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from disvae import Trainer
from disvae.data import FactorDataset, FactorSubset, Sprites
from disvae.data.encode import encode_posteriors
from disvae.losses import JointVAELoss
from disvae.metrics import matching_accuracy
from disvae.models import MixedVAE, MLPDecoder, MLPEncoder
from disvae.plots import mean_kl, traversal_figure
from disvae.schedules import Linear, Piecewise

SHAPE = {"shape": [0, 1, 2], "scale": [5], "orientation": [0]}
SHAPE |= {"position_x": [16], "position_y": [16]}
NEAR = SHAPE | {"orientation": [0, 1, 2], "position_x": [16, 17], "position_y": [16, 17]}
SLICES = {"shape": SHAPE, "near": NEAR}
N_CONTINUOUS, SHAPES, HIDDEN = 2, 3, [256]
GAMMA, CONTINUOUS, DISCRETE = 10.0, 1.0, 1.1  # the capacities in nats; log 3 is 1.0986


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    """Run the benchmark, print its table, and write it as JSON, with a traversal of each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--slice", choices=SLICES, default="shape")
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--batch_size", type=int, default=12)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    data = some_sprites(options.slice)
    rows = []
    print(f"{'seed':>4}{'accuracy':>10}{'reconstruction':>16}  shapes in each category")
    for seed in options.seeds:
        rows.append(row := measure(data, seed, options))
        print(
            f"{seed:>4}{row['accuracy']:>10.3f}{row['reconstruction']:>16.1f}  {row['confusion']}",
            flush=True,
        )
    (options.output / "discrete.json").write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def some_sprites(name: str) -> FactorSubset:
    """The images in which little but the shape varies."""
    sprites = Sprites()
    space = sprites.space
    grid = torch.cartesian_prod(*(torch.tensor(SLICES[name][factor]) for factor in space.names))
    return FactorSubset(sprites, space.indices(grid))


def measure(data: FactorDataset, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train one model; the accuracy of its categories over all images, and its picture."""
    torch.manual_seed(seed)
    encoder = MLPEncoder(data.image_shape, 2 * N_CONTINUOUS + SHAPES, HIDDEN)
    decoder = MLPDecoder(data.image_shape, N_CONTINUOUS + SHAPES, HIDDEN)
    model = MixedVAE(encoder, decoder, N_CONTINUOUS, (SHAPES,))
    part = max(1, options.steps // 5)
    criterion = JointVAELoss(
        GAMMA,
        Piecewise([(4 * part, 0.0), (5 * part, CONTINUOUS)]),
        Linear(0.0, DISCRETE, steps=4 * part),
    )
    trainer = Trainer(
        model,
        criterion,
        lr=options.lr,
        batch_size=options.batch_size,
        seed=seed,
        accelerator="cpu",
        log_every=part,
        progress=False,
    )
    record = trainer.fit(data, options.steps)
    everything = torch.arange(len(data))
    codes = encode_posteriors(model.eval(), data, progress=False).loc
    shapes = data.factors(everything)[:, :1]
    score = matching_accuracy(codes, shapes, dimension=N_CONTINUOUS, factor=0)
    images = data.floats(everything)
    figure = traversal_figure(model, images[len(data) // 2], mean_kl(model, images))
    figure.savefig(options.output / f"discrete-{seed}.png")
    return {
        "seed": seed,
        "accuracy": float(score),
        "confusion": score.details["confusion"],
        **{k: record[k] for k in ("reconstruction", "kl_continuous", "kl_discrete")},
    }


if __name__ == "__main__":
    main()
