"""What a training step costs by the size of the data set: it should make no difference.

    python benchmarks/data_size.py
    python benchmarks/data_size.py --losses beta_tcvae --sizes 1000 100000 --threads 1

All sizes train in one process and take turns, a few steps each, so that whatever else the machine
does slows them alike: compare the ratios to the first size, not the times. A step draws its batch
from images kept in memory (a bit a pixel), and trains. "order" is what it comes to for each step
that the order of the images is drawn anew once an epoch, which large sets do not reach here.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch

import disvae
from disvae.data import BatchSource, ImageDataset, Sprites, random_subset, store
from disvae.losses import Loss
from disvae.training.memory import keep_freed_memory

LATENT_DIM = 10
LOSSES: dict[str, Callable[[int], Loss]] = {
    "vae": lambda n: disvae.VAELoss(),
    "factor_vae": lambda n: disvae.FactorVAELoss(LATENT_DIM),
    "beta_tcvae": lambda n: disvae.BetaTCVAELoss(n),
}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1_000, len(Sprites())])
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=LOSSES)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=30, help="turns of each size")
    parser.add_argument("--steps", type=int, default=10, help="steps a turn")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's choice")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_freed_memory()
    sets = {n: sprites(n) for n in options.sizes}
    rows = []
    print(f"{'loss':12} {'images':>8} {'ms a step':>9} {'ratio':>13} {'order, ms':>9}")
    for loss in options.losses:
        for row in measure(loss, sets, options):
            rows.append(row)
            low, high = row["ratio_quartiles"]
            print(
                f"{loss:12} {row['images']:8} {1000 * row['seconds']:9.2f} {row['ratio']:5.3f} "
                f"({low:.2f}-{high:.2f}) {1000 * row['order_seconds']:6.4f}"
            )
    report = {"batch_size": options.batch_size, "threads": torch.get_num_threads(), "rows": rows}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "data_size.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def sprites(n: int) -> ImageDataset:
    """So many sprites in memory."""
    data: ImageDataset = Sprites()
    return store(data if n == len(data) else random_subset(data, n, seed=0), progress=False)


def measure(
    loss: str, sets: dict[int, ImageDataset], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Let the sizes take turns; each ratio is the median over the turns."""
    steps = {n: step_of(LOSSES[loss](n), data, options.batch_size) for n, data in sets.items()}
    seconds: dict[int, list[float]] = {n: [] for n in sets}
    for turn in range(options.rounds + 1):
        for n, step in steps.items():
            elapsed = seconds_of(step, options.steps)
            if turn > 0:  # the first turn warms up, and draws the order of an epoch
                seconds[n].append(elapsed / options.steps)
    first = seconds[options.sizes[0]]
    rows = []
    for n, data in sets.items():
        ratios = [mine / base for mine, base in zip(seconds[n], first, strict=True)]
        quartiles = statistics.quantiles([*ratios, *ratios], n=4)
        order = seconds_of(partial(BatchSource(data, options.batch_size).indices, 0))
        rows.append(
            {
                "loss": loss,
                "images": n,
                "seconds": statistics.median(seconds[n]),
                "ratio": statistics.median(ratios),
                "ratio_quartiles": [quartiles[0], quartiles[2]],
                "order_seconds": order * options.batch_size / n,
            }
        )
    return rows


def step_of(criterion: Loss, data: ImageDataset, batch_size: int) -> Callable[[], None]:
    """The next training step of the plain loop, its batch included."""
    torch.manual_seed(0)
    model = disvae.BurgessVAE(data.image_shape, LATENT_DIM)
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr=1e-4), fused=True)
    source, numbers = BatchSource(data, batch_size), count()

    def step() -> None:
        number = next(numbers)
        optimizer.zero_grad()
        criterion(model, source.batch(number), number).loss.backward()
        optimizer.step()

    return step


def seconds_of(work: Callable[[], object], times: int = 1) -> float:
    """How long it takes to do it so many times."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
