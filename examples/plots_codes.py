"""Train a small sweep of β-VAE and FactorVAE, and draw what its codes, curves and scores look like.

    python examples/plots_codes.py --steps 1500 --seeds 3 --output runs/plots_codes

The images are sprites of 16×16 pixels, so that all runs take a few minutes on two cores. It makes
the pictures of docs/plots_codes.md.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from disvae import BetaVAEHLoss, FactorVAELoss, Loss, Trainer
from disvae.data import FactorArray, FactorSpace, Sprites
from disvae.metrics import Scores, evaluate_model, mig
from disvae.models import MLPVAE, Discriminator
from disvae.plots import (
    curves_figure,
    embedding_figure,
    factor_map_figure,
    histogram_figure,
    mean_kl,
    read_sweep,
    swap_figure,
    tradeoff_figure,
    weights_figure,
)
from disvae.training import encode_posteriors, load_images, read_log

LATENT_DIM = 6
BETAS = (1.0, 2.0, 4.0, 8.0)
GAMMAS = (2.0, 5.0, 10.0, 20.0)
SHAPES = ["square", "ellipse", "heart"]
METRICS = ["FactorVAE score", "MIG"]


def small_sprites() -> FactorArray:
    """2,304 sprites of one orientation, three sizes and 16 × 16 positions, of 16×16 pixels."""
    sprites = Sprites()
    space = FactorSpace(("shape", "scale", "position_x", "position_y"), (3, 3, 16, 16))
    factors = space.factors(torch.arange(len(space)))
    shape, scale, x, y = factors.T
    there = torch.stack([shape, 2 * scale, torch.zeros_like(shape), 2 * x, 2 * y], dim=1)
    images = sprites.images(sprites.space.indices(there)).float()
    small = (255 * F.avg_pool2d(images, 4)).round().byte()
    return FactorArray(small, factors, space.names, max_value=255)


def losses() -> dict[str, Loss]:
    """The losses of the sweep, by the names of their runs."""
    beta = {f"beta-{beta:g}": BetaVAEHLoss(beta) for beta in BETAS}
    factor = {
        f"gamma-{gamma:g}": FactorVAELoss(
            LATENT_DIM, gamma, Discriminator(LATENT_DIM, hidden_dim=128, n_hidden=3)
        )
        for gamma in GAMMAS
    }
    return {**beta, **factor}


def train(data: FactorArray, folder: Path, seeds: int, steps: int) -> dict[str, list[Trainer]]:
    """Train and evaluate every loss with every seed, a run directory each."""
    trainers: dict[str, list[Trainer]] = {name: [] for name in losses()}
    for seed in range(seeds):
        for name in trainers:
            torch.manual_seed(seed)
            model, criterion = MLPVAE(data.image_shape, LATENT_DIM, (256,)), losses()[name]
            run = folder / f"{name}-seed-{seed}"
            trainer = Trainer(
                model, criterion, lr=1e-3, seed=seed, run_dir=run, progress=False, accelerator="cpu"
            )
            trainer.fit(data, steps)
            scores = evaluate_model(model.eval(), data, metrics=METRICS, progress=False)
            write_scores(run, scores)
            print(f"{run.name:>18}: " + ", ".join(f"{score!r}" for score in scores.values()))
            trainers[name].append(trainer)
    return trainers


def write_scores(run: Path, scores: Scores) -> None:
    """What ``disvae evaluate`` would have written of them."""
    (run / "evaluation.json").write_text(json.dumps({"trained": scores.to_json()}))


def draw(data: FactorArray, trainers: dict[str, list[Trainer]], folder: Path) -> dict[str, Figure]:
    """All pictures by their names; those of one model are of the last FactorVAE's first seed."""
    best = trainers[f"gamma-{GAMMAS[-1]:g}"][0].model
    assert isinstance(best, MLPVAE)
    posterior = encode_posteriors(best, data, progress=False)
    factors, names = data.factors(torch.arange(len(data))), data.space.names
    kl = mean_kl(best, load_images(data, torch.arange(len(data)))).tolist()
    where = mig(posterior.loc, factors, names=names).details["best_dimension"]
    position = sorted({where[names.index("position_x")], where[names.index("position_y")]})
    rest = [j for j in range(LATENT_DIM) if j not in position]

    posteriors = {
        name.replace("-", " = ").replace("beta", "β").replace("gamma", "γ"): encode_posteriors(
            trainers[name][0].model, data, progress=False
        )
        for name in ("beta-1", "beta-8", "gamma-20")
    }
    logs = {
        name.replace("-", " = ").replace("gamma", "γ"): [
            read_log(str(trainer.run_dir)) for trainer in group
        ]
        for name, group in trainers.items()
        if name.startswith("gamma")
    }
    chosen = torch.randperm(len(data), generator=torch.Generator().manual_seed(3))[:12]
    images = load_images(data, chosen)
    records = read_sweep([str(t.run_dir) for group in trainers.values() for t in group])
    return {
        "histograms": histogram_figure(posteriors),
        "curves": curves_figure(logs),
        "factor-maps": factor_map_figure(posterior.loc, factors, names, kl=kl),
        "swaps": swap_figure(best, images[:4], images[4:], position, ("position", "all else")),
        "embedding": embedding_figure(
            posterior.loc,
            factors[:, 0].numpy(),
            "shape",
            SHAPES,
            {"the two dimensions of position": position, "all others": rest},
        ),
        "tradeoff": tradeoff_figure(records),
        "weights": weights_figure(records, METRICS),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Train the sweep and write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_500)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each loss and weight")
    parser.add_argument("--output", type=Path, default=Path("runs/plots_codes"))
    args = parser.parse_args(argv)
    data = small_sprites()
    trainers = train(data, args.output, args.seeds, args.steps)
    for name, figure in draw(data, trainers, args.output).items():
        figure.savefig(args.output / f"{name}.png")
    print(f"figures: {args.output}")


if __name__ == "__main__":
    main()
