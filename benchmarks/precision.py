"""Whether bfloat16 changes training: its loss curves beside those in float32, and beside a seed's.

    python benchmarks/precision.py --output runs/bench
    python benchmarks/precision.py --speed --output runs/bench

With --speed, compared is instead how long a step takes: in either precision, and in the one that
precision="auto" chooses. They take turns, a few steps each; "auto" is its time less that of the
faster of the two, as a share of the latter.

Each loss is trained with some seeds, each in float32 and in bfloat16 from the same weights, on the
same batches. Compared are the curves of the objective, as means over 50 steps:

bias         bfloat16 less float32 with the same seed, in nats per image: the mean over the seeds
             and the second half of the curve
difference   the same, as the mean of the absolute values
seeds        the mean absolute difference of two seeds, both in float32
end          the objective of the last 50 steps: mean over the seeds and standard deviation

A difference no larger than that of two seeds says that the curves agree within the noise of seeds.
"""

import argparse
import json
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

import disvae
from disvae import BurgessVAE, Loss, Trainer
from disvae.data import Sprites, random_subset
from disvae.schedules import Linear

N_IMAGES, WINDOW = 20_000, 50
PRECISIONS = ("32-true", "bf16-mixed")
LOSSES = ("vae", "beta_vae_h", "beta_vae_b", "factor_vae", "beta_tcvae")


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--losses", nargs="+", default=LOSSES, choices=LOSSES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--n_images", type=int, default=N_IMAGES)
    parser.add_argument("--speed", action="store_true", help="compare the speed of a step")
    parser.add_argument("--rounds", type=int, default=8, help="turns of each, with --speed")
    parser.add_argument("--turn", type=int, default=5, help="steps a turn, with --speed")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    data = random_subset(Sprites(), options.n_images, seed=0)
    if options.speed:
        return compare_speed(data, options)
    rows = []
    print(
        f"{'loss':12} {'bias':>6} {'difference':>10} {'seeds':>6}"
        f"  {'end, float32':>18}  {'end, bfloat16':>18}"
    )
    for name in options.losses:
        rows.append(row := compare(name, data, options))
        ends = "  ".join(f"{mean:9.2f} ± {sd:6.2f}" for mean, sd in row["ends"].values())
        sizes = f"{row['bias']:6.2f} {row['difference']:10.2f} {row['seeds']:6.2f}"
        print(f"{name:12} {sizes}  {ends}", flush=True)
    report = {"steps": options.steps, "seeds": options.seeds, "rows": rows}
    return write(report, "precision", options)


def compare_speed(data: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds of a step of each loss in each precision and with "auto", as medians."""
    rows = []
    print(f"{'loss':12} {'float32':>8} {'bfloat16':>8} {'auto':>8}  {'chosen':10} {'lost':>6}")
    for name in options.losses:
        trainers = {p: make_trainer(name, 0, p, data, options) for p in (*PRECISIONS, "auto")}
        seconds: dict[str, list[float]] = {p: [] for p in trainers}
        source = trainers["auto"].source(data)
        for turn in range(options.rounds + 1):
            for precision, trainer in trainers.items():
                if turn == 0:  # it decides, and warms up
                    trainer.fit(source, 1)
                start = time.process_time()
                trainer.fit(source, trainer.step + options.turn)
                if turn > 0:
                    seconds[precision].append((time.process_time() - start) / options.turn)
        ms = {precision: 1e3 * float(np.median(values)) for precision, values in seconds.items()}
        lost = ms["auto"] / min(ms[p] for p in PRECISIONS) - 1
        chosen = trainers["auto"].conditions.precision
        rows.append({"loss": name, "ms": ms, "chosen": chosen, "lost": lost})
        times = " ".join(f"{value:8.1f}" for value in ms.values())
        print(f"{name:12} {times}  {chosen:10} {100 * lost:5.1f}%", flush=True)
    return write({"batch_size": options.batch_size, "rows": rows}, "precision-speed", options)


def write(report: dict[str, Any], name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Write a report as JSON, and return it."""
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def compare(name: str, data: Any, options: argparse.Namespace) -> dict[str, Any]:
    """The curves of one loss, (seeds, windows) in each precision, and how far they differ."""
    curves = {
        precision: np.array([curve(name, seed, precision, data, options) for seed in seeds])
        for seeds in [range(options.seeds)]
        for precision in PRECISIONS
    }
    exact, low = curves.values()
    half = exact.shape[1] // 2
    differences = (low - exact)[:, half:]
    seeds = [np.abs(a - b)[half:].mean() for a, b in combinations(exact, 2)]
    ends = {p: (c[:, -1].mean(), c[:, -1].std(ddof=1)) for p, c in curves.items()}
    return {
        "loss": name,
        "bias": float(differences.mean()),
        "difference": float(np.abs(differences).mean()),
        "seeds": float(np.mean(seeds)),
        "ends": ends,
        "curves": {precision: c.tolist() for precision, c in curves.items()},
    }


def curve(
    name: str, seed: int, precision: Any, data: Any, options: argparse.Namespace
) -> list[float]:
    """The objective of one run, in nats per image, as means over windows."""
    trainer = make_trainer(name, seed, precision, data, options)
    steps = range(WINDOW, options.steps + 1, WINDOW)
    return [trainer.fit(data, step)["objective"] for step in steps]


def make_trainer(
    name: str, seed: int, precision: Any, data: Any, options: argparse.Namespace
) -> Trainer:
    """The trainer of one run on the CPU."""
    torch.manual_seed(seed)
    model, criterion = BurgessVAE((1, 64, 64), latent_dim=10), make_loss(name, len(data))
    settings: dict[str, Any] = {"lr": 5e-4, "batch_size": options.batch_size, "seed": seed}
    settings |= {"precision": precision, "log_every": WINDOW, "accelerator": "cpu"}
    return Trainer(model, criterion, progress=False, **settings)


def make_loss(name: str, dataset_size: int) -> Loss:
    """The loss of that name, with the settings of its paper."""
    return {
        "vae": lambda: disvae.VAELoss(),
        "beta_vae_h": lambda: disvae.BetaVAEHLoss(4.0),
        "beta_vae_b": lambda: disvae.BetaVAEBLoss(1000.0, capacity=Linear(0.0, 25.0, 100_000)),
        "factor_vae": lambda: disvae.FactorVAELoss(10, gamma=35.0),
        "beta_tcvae": lambda: disvae.BetaTCVAELoss(dataset_size),
    }[name]()


if __name__ == "__main__":
    main()
