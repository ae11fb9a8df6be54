"""What it costs a training step to report the three terms of the KL.

    python benchmarks/decomposed.py --output runs/bench

Steps that report and steps that do not take turns, so that whatever else the machine does slows
both alike. Compare the ratios, not the times.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from disvae import BetaTCVAELoss, BetaVAEHLoss, BurgessVAE, FactorVAELoss, Loss, VAELoss
from disvae.divergence.estimators import ESTIMATORS, make_estimator
from disvae.losses import Decomposed
from disvae.training.memory import keep_freed_memory

LATENT_DIM, DATASET_SIZE = 10, 737_280
LOSSES = [
    VAELoss(),
    BetaVAEHLoss(),
    BetaTCVAELoss(DATASET_SIZE),
    FactorVAELoss(LATENT_DIM),
]


def main(argv: list[str] | None = None) -> list[dict[str, Any]]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--batch_sizes", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--rounds", type=int, default=60, help="steps of each kind")
    parser.add_argument("--every", type=int, default=50, help="steps between two reports")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    keep_freed_memory()
    rows = []
    print(f"{'loss':16}{'batch':>6}{'estimator':>11}{'step, ms':>10}{'reporting':>11}{'cost':>8}")
    for batch_size in options.batch_sizes:
        for criterion in LOSSES:
            for name in ESTIMATORS:
                rows.append(row := measure(criterion, name, batch_size, options))
                print(
                    f"{row['loss']:16}{batch_size:>6}{name:>11}{row['plain_ms']:>10.1f}"
                    f"{row['reporting_ms']:>11.1f}{row['cost']:>8.2%}",
                    flush=True,
                )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "decomposed.json").write_text(json.dumps(rows, indent=2) + "\n")
    return rows


def measure(
    criterion: Loss, estimator: str, batch_size: int, options: argparse.Namespace
) -> dict[str, Any]:
    """The median time of either kind of step, and what reporting adds to an average one."""
    torch.manual_seed(0)
    model = BurgessVAE((1, 64, 64), LATENT_DIM)
    reporting = Decomposed(criterion, make_estimator(estimator, DATASET_SIZE), every=1)
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr=1e-4), fused=True)
    x = torch.rand(batch_size, 1, 64, 64)
    times: dict[Loss, list[float]] = {criterion: [], reporting: []}
    for step in range(options.rounds + 3):
        for loss in times:
            begin = time.perf_counter()
            output = loss(model, x, step)
            optimizer.zero_grad()
            output.loss.backward()
            optimizer.step()
            times[loss].append(1e3 * (time.perf_counter() - begin))
    plain, report = (statistics.median(values[3:]) for values in times.values())
    return {
        "loss": type(criterion).__name__,
        "batch_size": batch_size,
        "estimator": estimator,
        "plain_ms": plain,
        "reporting_ms": report,
        "cost": (report - plain) / plain / options.every,
    }


if __name__ == "__main__":
    main()
