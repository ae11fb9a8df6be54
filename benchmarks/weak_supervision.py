"""What pairs are worth: Ada-GVAE on pairs of sprites against β-VAE on as many single ones.

    python benchmarks/weak_supervision.py --output runs/bench

Ada-GVAE sees pairs that differ in one factor, and is told neither in which nor that it is one. The
β-VAE, with the same β and with the usual one, sees images drawn alike, one by one: both kinds of
model start from the same weights and take as many steps of as many images, at the same rate. Scored
are the codes of the same images of the whole grid. Prints a table of the means over the seeds with
their standard deviations, and writes it with every seed's scores to weak_supervision.json. The runs
stay beside it: a benchmark that was stopped goes on, and `disvae plot` draws them.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from disvae import BetaVAEHLoss, BurgessVAE, Loss, Trainer
from disvae.data import ChangedFactorPairs, Sprites
from disvae.losses import AdaGVAELoss
from disvae.metrics import evaluate_model

METRICS = ("FactorVAE score", "DCI", "MIG")


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
    rows = []
    for name, (criterion, in_pairs) in methods.items():
        runs = [train(criterion, in_pairs, seed, options) for seed in range(options.seeds)]
        rows.append({"method": name, "runs": runs})
        if len(rows) == 1:
            print(f"{'':20}" + "".join(f"{metric:>22}" for metric in runs[0]["scores"]))
        print(line(name, runs), flush=True)
    settings = {k: v for k, v in vars(options).items() if k != "output"}
    report = {"settings": settings, "rows": rows}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "weak_supervision.json").write_text(json.dumps(report, indent=2) + "\n")
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
    run_dir = options.output / "weak_supervision" / f"{folder(criterion)}-seed-{seed}"
    torch.manual_seed(seed)
    model = BurgessVAE(data.image_shape, latent_dim=10)
    trainer = Trainer(
        model,
        criterion,
        lr=options.lr,
        batch_size=batch_size,
        seed=seed,
        run_dir=run_dir,
        precision=options.precision,
        accelerator=options.accelerator,
        progress=False,
    )
    trainer.fit(batches, options.steps)
    file = run_dir / f"scores-{options.steps}-{options.n_images}.json"
    if not file.exists():
        scores = evaluate_model(model, data, n=options.n_images, metrics=METRICS, progress=False)
        file.write_text(json.dumps({name: float(score) for name, score in scores.items()}))
    record = json.loads((run_dir / "log.jsonl").read_text().splitlines()[-1])
    terms = ("reconstruction", "kl", "shared_dimensions")
    return {
        "scores": json.loads(file.read_text()),
        "log": {term: record[term] for term in terms if term in record},
    }


def folder(criterion: Any) -> str:
    """The name of a loss and its β, for a folder."""
    return f"{type(criterion).__name__.removesuffix('Loss')}-{criterion.beta:g}"


def line(name: str, runs: list[dict[str, dict[str, float]]]) -> str:
    """The means over the seeds, and their standard deviations."""
    table = np.array([list(run["scores"].values()) for run in runs])
    deviation = table.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(table.shape[1])
    cells = zip(table.mean(axis=0), deviation, strict=True)
    return f"{name:20}" + "".join(f"{f'{mean:.3f} ± {sd:.3f}':>22}" for mean, sd in cells)


if __name__ == "__main__":
    main()
