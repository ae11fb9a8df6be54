"""Whether InfoGAN and InfoWGAN-GP train: the players over the steps, and what the samples are like.

    python benchmarks/infogan.py --output runs/bench
    python benchmarks/infogan.py --data mnist --root FOLDER --loss gan

The columns are means over the steps since the line before:

game         the critic's estimate of the Wasserstein distance; the discriminator's accuracy (gan)
penalty      the gradient penalty, before its weight of 10
information  the bound on I(c; G(c, noise)), in nats
diversity    mean distance between two samples, in units of that between two images of the data: 0
             if all samples are the same
energy       energy distance between samples and data, in the same units: 0 if they are alike in
             distribution, 0.3 and more if all samples are the same

On data with factors the codes of Q are then scored, beside those of the network before training.
The run directory is OUTPUT/infogan-DATA-LOSS, for `disvae plot`. The table is also written to
infogan-DATA-LOSS.json.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disvae import Trainer
from disvae.data import MNIST, FactorDataset, ImageDataset, Sprites
from disvae.losses import InfoGANLoss, InfoWGANGPLoss
from disvae.metrics import evaluate_model
from disvae.models import InfoGAN, InfoGAN2DShapes, InfoGANMNIST

LINES = 10
GENERATOR_LR, CRITIC_LR = 1e-3, 2e-4


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", default="sprites", choices=["sprites", "mnist"])
    parser.add_argument("--root", type=Path, help="of MNIST's files")
    parser.add_argument("--split", default="test", choices=["train", "test"], help="of MNIST")
    parser.add_argument("--loss", default="wgan", choices=["wgan", "gan"])
    parser.add_argument("--weight", type=float, default=1.0, help="of the information")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--precision", default="32-true", choices=["32-true", "bf16-mixed"])
    parser.add_argument(
        "--n", type=int, default=1000, help="samples to compare with as many images"
    )
    parser.add_argument("--points", type=int, default=10_000, help="images to score codes of")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    name = f"infogan-{options.data}-{options.loss}"
    data = Sprites() if options.data == "sprites" else MNIST(options.root, options.split)
    report: dict[str, Any] = {"options": {**vars(options), "root": None, "output": None}}
    torch.manual_seed(options.seed)
    model = make_model(data, options.loss)
    if isinstance(data, FactorDataset):
        report["untrained"] = scores(model, data, options)
    report["rows"] = train(model, data, options.output / name, options)
    if isinstance(data, FactorDataset):
        report["trained"] = scores(model, data, options)
        for state in ("untrained", "trained"):
            print(state, *(f"{key} {value:.3f}" for key, value in report[state].items()), sep="  ")
    (options.output / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def make_model(data: ImageDataset, loss: str) -> InfoGAN:
    """The network of the paper's table."""
    network = InfoGANMNIST if isinstance(data, MNIST) else InfoGAN2DShapes
    return network(data.image_shape, normalization="layer" if loss == "wgan" else "batch")


def train(
    model: InfoGAN, data: ImageDataset, run_dir: Path, options: argparse.Namespace
) -> list[dict[str, float]]:
    """Train, and compare samples with the data every so many steps."""
    loss = InfoWGANGPLoss if options.loss == "wgan" else InfoGANLoss
    every = max(1, options.steps // LINES)
    trainer = Trainer(
        model,
        loss(weight=options.weight, discriminator_lr=CRITIC_LR),
        lr=GENERATOR_LR,
        batch_size=options.batch_size,
        seed=options.seed,
        run_dir=run_dir,
        precision=options.precision,
        accelerator="cpu",
        log_every=every,
        checkpoint_every=every,
        progress=False,
    )
    shuffled = torch.randperm(len(data), generator=torch.Generator().manual_seed(options.seed))
    images = data.floats(shuffled[: options.n]).flatten(1)
    columns = ("game", "penalty", "information", "diversity", "energy")
    print(f"{'step':>6}" + "".join(f"{column:>13}" for column in columns))
    rows = []
    for step in range(every, options.steps + 1, every):
        terms = trainer.fit(data, step)
        rows.append(
            {
                "step": step,
                "game": terms.get("wasserstein", terms.get("discriminator_accuracy", math.nan)),
                "penalty": terms.get("gradient_penalty", math.nan),
                "information": terms["mutual_information"],
                **compare(model, images),
            }
        )
        print(f"{step:6}" + "".join(f"{rows[-1][c]:13.3f}" for c in columns), flush=True)
    return rows


@torch.no_grad()
def compare(model: InfoGAN, images: Tensor) -> dict[str, float]:
    """How unlike each other samples are, and how unlike images of the data."""
    model.eval()
    samples = model.sample(len(images), torch.Generator().manual_seed(0)).flatten(1)
    model.train()
    diversity = torch.pdist(samples).mean() / torch.pdist(images).mean()
    return {"diversity": diversity.item(), "energy": energy_distance(samples, images)}


def energy_distance(x: Tensor, y: Tensor) -> float:
    """2 E|x - y| - E|x - x'| - E|y - y'|, in units of the last."""
    within = torch.pdist(y).mean()
    return ((2 * torch.cdist(x, y).mean() - torch.pdist(x).mean() - within) / within).item()


def scores(model: InfoGAN, data: FactorDataset, options: argparse.Namespace) -> dict[str, float]:
    """What Q's codes of the data score."""
    model.eval()
    found = evaluate_model(
        model,
        data,
        n=options.points,
        seed=options.seed,
        metrics=["FactorVAE score", "MIG"],
        progress=False,
    )
    model.train()
    return {name: float(score) for name, score in found.items()}


if __name__ == "__main__":
    main()
