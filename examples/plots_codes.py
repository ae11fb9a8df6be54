"""Train a small sweep of β-VAE and FactorVAE, and draw what its codes, curves and scores look like.

    python examples/plots_codes.py --steps 800 --seeds 3 --output runs/plots_codes

The images are soft sprites of 16×16 pixels, so that a run takes seconds and all of them a few
minutes. It makes the pictures of docs/plots_codes.md.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

from disvae import BetaVAEHLoss, FactorVAELoss, Loss, Trainer
from disvae.data import FactorArray, FactorSpace, Sprites
from disvae.likelihoods import Gaussian
from disvae.metrics import evaluate_model, mig
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
from disvae.training import encode_posteriors, read_log

LATENT_DIM = 6
BETAS = (1.0, 2.0, 4.0, 8.0)
GAMMAS = (4.0, 8.0, 16.0, 32.0)
SHAPES = ["square", "ellipse", "heart"]
Runs = dict[str, list[tuple[MLPVAE, Path]]]  # models and folders of all seeds, by the loss
METRICS = ["FactorVAE score", "MIG"]


def small_sprites() -> FactorArray:
    """1,152 sprites of one orientation at 16 × 8 positions, out of focus and of 16×16 pixels."""
    sprites = Sprites()
    space = FactorSpace(("shape", "scale", "position_x", "position_y"), (3, 3, 16, 8))
    factors = space.factors(torch.arange(len(space)))
    shape, scale, x, y = factors.T
    there = torch.stack([shape, 2 * scale, torch.zeros_like(shape), 2 * x, 2 * y + 8], dim=1)
    images = sprites.images(sprites.space.indices(there)).float()
    for width in (15, 9):
        images = F.avg_pool2d(images, width, stride=1, padding=width // 2)
    small = (255 * F.avg_pool2d(images, 4)).round().byte()
    return FactorArray(small, factors, space.names, max_value=255)


def losses() -> dict[str, Loss]:
    """The losses of the sweep, by the names of their runs."""
    beta = {f"beta-{beta:g}": BetaVAEHLoss(beta) for beta in BETAS}
    factor = {
        f"gamma-{gamma:g}": FactorVAELoss(
            LATENT_DIM, gamma, Discriminator(LATENT_DIM, hidden_dim=64, n_hidden=3)
        )
        for gamma in GAMMAS
    }
    return {**beta, **factor}


def train(data: FactorArray, folder: Path, seeds: int, steps: int) -> Runs:
    """Train and evaluate every loss with every seed, a run directory each."""
    runs: Runs = {name: [] for name in losses()}
    for name, seed in product(runs, range(seeds)):
        torch.manual_seed(seed)
        model = MLPVAE(data.image_shape, LATENT_DIM, (128,), Gaussian(std=0.2))
        path = folder / f"{name}-seed-{seed}"
        trainer = Trainer(model, losses()[name], lr=3e-3, seed=seed, run_dir=path, progress=False)
        trainer.fit(data, steps)
        scores = evaluate_model(model.eval(), data, metrics=METRICS, progress=False)
        report = {"trained": scores.to_json()}  # as `disvae evaluate` writes it
        (path / "evaluation.json").write_text(json.dumps(report))
        print(f"{path.name:>16}: " + ", ".join(f"{score!r}" for score in scores.values()))
        runs[name].append((model, path))
    return runs


def of_one_model(data: FactorArray, model: MLPVAE) -> dict[str, Figure]:
    """The pictures of the codes of one model."""
    posterior = encode_posteriors(model, data, progress=False)
    factors, names = data.factors(torch.arange(len(data))), data.space.names
    kl = mean_kl(model, data.floats(torch.arange(len(data)))).tolist()
    best = mig(posterior.loc, factors, names=names).details["best_dimension"]
    position = sorted({best[names.index("position_x")], best[names.index("position_y")]})
    parts = {
        "dimensions of position": position,
        "all others": [j for j in range(LATENT_DIM) if j not in position],
    }
    chosen = torch.randperm(len(data), generator=torch.Generator().manual_seed(3))[:12]
    images = data.floats(chosen)
    return {
        "factor-maps": factor_map_figure(posterior.loc, factors, names, values=SHAPES, kl=kl),
        "swaps": swap_figure(model, images[:4], images[4:], position, ("position", "all else")),
        "embedding": embedding_figure(posterior.loc, factors[:, 1].numpy(), "scale", parts=parts),
    }


def of_all_models(data: FactorArray, runs: Runs) -> dict[str, Figure]:
    """The pictures of the sweep."""
    models = {label(name): group[0][0] for name, group in runs.items()}
    shown = [f"β = {BETAS[0]:g}", f"β = {BETAS[-1]:g}", f"γ = {GAMMAS[-1]:g}"]
    posteriors = {name: encode_posteriors(models[name], data, progress=False) for name in shown}
    factor = {name: group for name, group in runs.items() if name.startswith("gamma")}
    logs = {label(name): [read_log(path) for _, path in group] for name, group in factor.items()}
    records = read_sweep([path for group in runs.values() for _, path in group])
    return {
        "histograms": histogram_figure(posteriors),
        "curves": curves_figure(logs),
        "tradeoff": tradeoff_figure(records),
        "weights": weights_figure(records, METRICS),
    }


def label(name: str) -> str:
    """A run's name as a legend has it."""
    return name.replace("-", " = ").replace("beta", "β").replace("gamma", "γ")


def main(argv: Sequence[str] | None = None) -> None:
    """Train the sweep and write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each loss and weight")
    parser.add_argument("--output", type=Path, default=Path("runs/plots_codes"))
    args = parser.parse_args(argv)
    data = small_sprites()
    runs = train(data, args.output, args.seeds, args.steps)
    everyone = [run for group in runs.values() for run in group]
    gaps = [record.scores["MIG"] for record in read_sweep([path for _, path in everyone])]
    model, path = everyone[gaps.index(max(gaps))]
    print(f"pictures of one model: {path.name}, whose MIG is best")
    for name, figure in (of_one_model(data, model) | of_all_models(data, runs)).items():
        figure.savefig(args.output / f"{name}.png", dpi=150)
    print(f"figures: {args.output}")


if __name__ == "__main__":
    main()
