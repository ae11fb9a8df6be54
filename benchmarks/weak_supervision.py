"""What pairs are worth: Ada-GVAE on pairs of sprites against β-VAE on as many single ones.

    python benchmarks/weak_supervision.py --output runs/bench

Ada-GVAE sees pairs that differ in one factor, and is told neither in which nor that it is one. The
β-VAE, with the same β and with the usual one, sees images drawn alike, one by one: both kinds of
model start from the same weights and take as many steps of as many images, at the same rate. Scored
are the codes of the same images of the whole grid. Prints a table of the means over the seeds with
their standard deviations, and writes it with every seed's scores to weak_supervision.json. The runs
stay beside it: a benchmark that was stopped goes on. weak_supervision.png has the first run of each
method: how the dimensions that say most depend on the position.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from disvae import BetaVAEHLoss, BurgessVAE, Loss, Trainer
from disvae.data import ChangedFactorPairs, Sprites
from disvae.data.encode import encode_posteriors
from disvae.divergence import kl_per_dimension
from disvae.losses import AdaGVAELoss
from disvae.metrics import evaluate_model
from disvae.metrics.model import some_indices
from disvae.plots.factor_maps import mean_codes
from disvae.training import load_run

METRICS = ("FactorVAE score", "DCI", "MIG")
N_MAPS = 7


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batch_size", type=int, default=64, help="images a step, of pairs too")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--beta", type=float, default=1.0, help="of Ada-GVAE")
    parser.add_argument("--beta_vae", type=float, nargs="+", default=[1.0, 4.0], help="of β-VAEs")
    parser.add_argument("--n_changed", type=int, default=1, help="factors in which a pair differs")
    parser.add_argument("--n_images", type=int, default=10_000, help="that the scores are of")
    parser.add_argument("--precision", default="bf16-mixed", choices=["32-true", "bf16-mixed"])
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    name = f"Ada-GVAE, β = {options.beta:g}"
    methods: dict[str, tuple[Loss, bool]] = {name: (AdaGVAELoss(options.beta), True)}
    methods |= {f"β-VAE, β = {b:g}": (BetaVAEHLoss(b), False) for b in options.beta_vae}
    rows, folders = [], {}
    for name, (criterion, in_pairs) in methods.items():
        folders[name] = run_dir(criterion, 0, options)
        runs = [train(criterion, in_pairs, seed, options) for seed in range(options.seeds)]
        rows.append({"method": name, "runs": runs})
        if len(rows) == 1:
            print(f"{'':20}" + "".join(f"{metric:>22}" for metric in runs[0]["scores"]))
        print(line(name, runs), flush=True)
    settings = {k: v for k, v in vars(options).items() if k != "output"}
    report = {"settings": settings, "rows": rows}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "weak_supervision.json").write_text(json.dumps(report, indent=2) + "\n")
    figure(folders, options.n_images).savefig(options.output / "weak_supervision.png")
    return report


def train(
    criterion: Loss, in_pairs: bool, seed: int, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """The scores of one run, and the last line of its log."""
    data, batch_size = Sprites(), options.batch_size
    batches: Any = data
    if in_pairs:
        batch_size //= 2
        batches = ChangedFactorPairs(data, batch_size, options.n_changed)
    folder = run_dir(criterion, seed, options)
    torch.manual_seed(seed)
    model = BurgessVAE(data.image_shape, latent_dim=10)
    trainer = Trainer(
        model,
        criterion,
        lr=options.lr,
        batch_size=batch_size,
        seed=seed,
        run_dir=folder,
        precision=options.precision,
        accelerator=options.accelerator,
        progress=False,
    )
    trainer.fit(batches, options.steps)
    file = folder / f"scores-{options.steps}-{options.n_images}.json"
    if not file.exists():
        scores = evaluate_model(model, data, n=options.n_images, metrics=METRICS, progress=False)
        file.write_text(json.dumps({name: float(score) for name, score in scores.items()}))
    record = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    terms = ("reconstruction", "kl", "shared_dimensions")
    return {
        "scores": json.loads(file.read_text()),
        "log": {term: record[term] for term in terms if term in record},
    }


def run_dir(criterion: Any, seed: int, options: argparse.Namespace) -> Path:
    """Where the run of a loss and a seed is kept."""
    name = f"{type(criterion).__name__.removesuffix('Loss')}-{criterion.beta:g}-seed-{seed}"
    return options.output / "weak_supervision" / name


def line(name: str, runs: list[dict[str, dict[str, float]]]) -> str:
    """The means over the seeds, and their standard deviations."""
    table = np.array([list(run["scores"].values()) for run in runs])
    deviation = table.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(table.shape[1])
    cells = zip(table.mean(axis=0), deviation, strict=True)
    return f"{name:20}" + "".join(f"{f'{mean:.3f} ± {sd:.3f}':>22}" for mean, sd in cells)


def figure(folders: dict[str, Path], n_images: int) -> Figure:
    """The mean code at each position: a row for each run, its dimensions of the largest KL."""
    data = Sprites()
    indices = some_indices(data, n_images, seed=0)
    factors = data.factors(indices)
    by = [data.space.position(name) for name in ("position_x", "position_y")]
    result = Figure(figsize=(8, 1.35 * len(folders)), layout="constrained", dpi=150)
    panels = result.subplots(len(folders), N_MAPS, squeeze=False)
    for row, (name, folder) in zip(panels, folders.items(), strict=True):
        model = load_run(folder).model()
        posterior = encode_posteriors(model, data, indices, progress=False)
        kl = kl_per_dimension(posterior, model.prior).mean(0)
        maps, _ = mean_codes(posterior.loc, factors, by)  # (x, y, latent_dim)
        row[0].set_ylabel(name, fontsize=8)
        for axes, j in zip(row, kl.argsort(descending=True).tolist(), strict=False):
            axes.imshow(maps[..., j].T, cmap="RdBu", vmin=-3, vmax=3)
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{kl[j]:.1f} nats", fontsize=8)
    return result


if __name__ == "__main__":
    main()
