"""Many seeds at once: FactorVAEs trained one after another, and the same together.

    python benchmarks/ensemble.py                 # 8 seeds, in turns, on what there is

The runs are the paper's: batches of 64, gamma 35. The two ways take turns, so that whatever else
the machine does slows both alike: compare the ratios, not the times. Times include what a run costs
besides its steps: the process of its own on a CPU, the first steps and the recording on a GPU, the
files that it leaves. What a GPU does meanwhile is the matter of ``benchmarks/gpu.py``.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from disvae import BurgessVAE, FactorVAELoss, Trainer
from disvae.data import ImageDataset, Sprites, random_subset, store
from disvae.models import Discriminator
from disvae.training import train_ensemble


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its report, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=200, help="of each run")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--hidden_dim", type=int, default=1000, help="of the discriminator")
    parser.add_argument("--n_images", type=int, help="of all 737,280 sprites")
    parser.add_argument("--precision", default="32-true", choices=["32-true", "bf16-mixed"])
    parser.add_argument("--accelerator", default="auto")
    parser.add_argument("--together", action="store_true", help="leave out one after another")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    data: ImageDataset = Sprites()
    if options.n_images:
        data = random_subset(data, options.n_images, seed=0)
    data = store(data, progress=False)
    ways: dict[str, Callable[[Sequence[Trainer], Any, int], Any]] = {"at_once": at_once}
    if not options.together:
        ways = {"in_a_row": in_a_row, **ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            seconds[name].append(seconds_of(way, data, options))
    report = summary(seconds, options)
    if torch.cuda.is_available() and options.accelerator != "cpu":
        report["device"] = torch.cuda.get_device_name()
    print(json.dumps(report, indent=2))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "ensemble.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def in_a_row(trainers: Sequence[Trainer], data: Any, steps: int) -> None:
    """One after another, each with all of the machine."""
    for trainer in trainers:
        trainer.fit(data, steps)


def at_once(trainers: Sequence[Trainer], data: Any, steps: int) -> None:
    """As an ensemble."""
    train_ensemble(trainers, data, steps, progress=False)


def seconds_of(
    way: Callable[[Sequence[Trainer], Any, int], Any], data: Any, options: argparse.Namespace
) -> float:
    """How long fresh runs take."""
    with tempfile.TemporaryDirectory() as folder:
        trainers = [make(seed, Path(folder), options) for seed in range(options.runs)]
        start = time.perf_counter()
        way(trainers, data, options.steps)
        if trainers[0].device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start


def make(seed: int, folder: Path, options: argparse.Namespace) -> Trainer:
    """The paper's FactorVAE of a seed."""
    torch.manual_seed(seed)
    discriminator = Discriminator(10, options.hidden_dim)
    return Trainer(
        BurgessVAE((1, 64, 64), latent_dim=10),
        FactorVAELoss(10, gamma=35.0, discriminator=discriminator),
        lr=1e-4,
        batch_size=options.batch_size,
        seed=seed,
        run_dir=folder / f"seed-{seed}",
        precision=options.precision,
        accelerator=options.accelerator,
        log_every=1000,
        checkpoint_every=max(options.steps, 1000),
        progress=False,
    )


def summary(seconds: dict[str, list[float]], options: argparse.Namespace) -> dict[str, Any]:
    """The median over the turns, and of the ratios of a turn."""
    total = options.runs * options.steps
    report: dict[str, Any] = {
        "device": "cpu",
        "runs": options.runs,
        "steps": options.steps,
        "precision": options.precision,
    }
    for name, values in seconds.items():
        median = statistics.median(values)
        report[name] = {"seconds": median, "steps_per_second": total / median}
    if len(seconds) == 2:
        pairs = zip(*seconds.values(), strict=True)
        report["at_once_is_faster_by"] = statistics.median(a / b for a, b in pairs)
    return report


if __name__ == "__main__":
    main()
