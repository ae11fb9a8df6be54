"""Train the five losses on the same images and compare what their codes hold.

    python examples/compare_losses.py --steps 5000 --output runs/compare

The images are the hearts of one size among the sprites: orientation, x and y vary.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from disvae import (
    BetaTCVAELoss,
    BetaVAEBLoss,
    BetaVAEHLoss,
    BurgessVAE,
    FactorVAELoss,
    Loss,
    Trainer,
    VAELoss,
)
from disvae.data import FactorDataset, Slice, Sprites, to_float
from disvae.divergence import exact_decomposition
from disvae.metrics import factor_vae_score, mig
from disvae.plots.grid import image_grid
from disvae.schedules import Linear

PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")


def losses(n_images: int, steps: int) -> list[Loss]:
    """All five, with the weights that their papers have for dSprites."""
    return [
        VAELoss(),
        BetaVAEHLoss(beta=4.0),
        BetaVAEBLoss(gamma=100.0, capacity=Linear(0.0, 25.0, steps=steps)),
        FactorVAELoss(latent_dim=10, gamma=35.0),
        BetaTCVAELoss(n_images, beta=6.0),
    ]


@torch.no_grad()
def measure(model: BurgessVAE, data: FactorDataset, indices: Tensor) -> dict[str, float]:
    """What the code of some images holds: nats per image, and two scores against the factors."""
    model.eval()
    x = to_float(data.images(indices), data.max_value)
    posterior, z, parameters = model(x)
    parts = exact_decomposition(posterior, z)
    factors = data.factors(indices)
    return {
        "reconstruction": model.likelihood.nll(parameters, x).mean().item(),
        **{name: part.item() for name, part in zip(PARTS, parts, strict=True)},
        "factor_vae_score": float(factor_vae_score(posterior.mean, factors, seed=0)),
        "mig": float(mig(posterior.mean, factors, seed=0)),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    """The rows as aligned text."""
    columns = list(next(iter(rows.values())))
    lines = [f"{'':>13} " + " ".join(f"{column:>18}" for column in columns)]
    for name, row in rows.items():
        lines.append(f"{name:>13} " + " ".join(f"{row[column]:18.3f}" for column in columns))
    return "\n".join(lines)


@torch.no_grad()
def figure(models: dict[str, BurgessVAE], rows: dict[str, dict[str, float]], x: Tensor) -> Figure:
    """Images with each model's reconstructions below, beside the three parts of each KL."""
    picture = image_grid(torch.stack([x, *(model.reconstruct(x) for model in models.values())]))
    result = Figure(figsize=(13, 5), layout="constrained")
    images, bars = result.subplots(1, 2, width_ratios=[3, 2])
    height = picture.shape[0] / (len(models) + 1)
    images.imshow(picture.numpy())
    images.set_yticks([height * (i + 0.5) for i in range(len(models) + 1)], ["image", *models])
    images.set_xticks([])
    for i, part in enumerate(PARTS):
        places = [y + 0.25 * (i - 1) for y in range(len(rows))]
        values = [row[part] for row in rows.values()]
        bars.barh(places, values, height=0.25, label=part.replace("_", " "))
    bars.set_yticks(range(len(rows)), list(rows))
    bars.invert_yaxis()
    bars.set_xlabel("nats per image")
    bars.legend()
    return result


def main(argv: Sequence[str] | None = None) -> None:
    """Train and measure each, print the table, write it and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3_000, help="training steps of each loss")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--points", type=int, default=3_000, help="images to measure on")
    parser.add_argument("--output", type=Path, default=Path("runs/compare"))
    args = parser.parse_args(argv)

    data = Slice(Sprites(), {"shape": 2, "scale": 5})  # hearts of the largest size
    points = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[: args.points]
    models, rows = {}, {}
    for criterion in losses(len(data), args.steps):
        name = type(criterion).__name__
        torch.manual_seed(0)
        model = models[name] = BurgessVAE(image_shape=(1, 64, 64), latent_dim=10)
        trainer = Trainer(model, criterion, lr=5e-4, batch_size=args.batch_size)
        trainer.fit(data, steps=args.steps)
        rows[name] = measure(model, data, points)

    print(table(rows))
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "compare.json").write_text(json.dumps(rows, indent=2) + "\n")
    x = to_float(data.images(points[:10]), data.max_value)
    figure(models, rows, x).savefig(args.output / "compare.png", dpi=100)


if __name__ == "__main__":
    main()
