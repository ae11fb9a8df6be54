"""A GPU, seen: what holds there, how fast it is, and what it trains in minutes.

    python benchmarks/gpu.py                            # eight minutes on an NVIDIA GPU
    python benchmarks/gpu.py --device cpu --seconds 60  # the same at a tiny size
    python benchmarks/gpu.py --table benchmarks/results/gpu.json  # a report as Markdown

Four stages of rising cost, each with its share of the time. The report is printed and written after
each of them and within the long ones, so that a cut leaves what was measured until then:

checks   the tests marked ``gpu``: every loss computes what it computes on the CPU, a captured step
         is the step bit for bit, a run goes on exactly, lower precisions train the same.
steps    training steps a second, by batch size and precision: as they are, captured, by a plain
         loop in PyTorch, by the same compiled; and the share of time in which the GPU works.
runs     K runs at once, by streams and as one step with stacked weights: steps of all a second.
train    FactorVAE (gamma 35) and beta-VAE (beta 4) with the settings of the FactorVAE paper, for as
         many steps as the time allows: scores and the exact decomposition.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_stages.bench import FULL, TINY, Bench, Data
from gpu_stages.checks import checks
from gpu_stages.runs import runs
from gpu_stages.steps import steps
from gpu_stages.table import tables
from gpu_stages.train import train

from disvae.training.provenance import provenance

# Each with its share of the time.
STAGES: dict[str, tuple[float, Callable[[Bench], Iterator[dict[str, Any]]]]] = {
    "checks": (0.15, checks),
    "steps": (0.2, steps),
    "runs": (0.2, runs),
    "train": (0.45, train),
}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Go through the stages, and write ``gpu.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--seconds", type=float, default=480.0, help="for all stages together")
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=list(STAGES))
    parser.add_argument("--precision", default="32-true", help="of the last stage")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    parser.add_argument("--table", type=Path, metavar="JSON", help="print a report's tables")
    options = parser.parse_args(argv)
    if options.table:
        known: dict[str, Any] = json.loads(options.table.read_text())
        print(tables(known))
        return known
    options.output.mkdir(parents=True, exist_ok=True)
    device, size = torch.device(options.device), FULL if options.device == "cuda" else TINY
    report: dict[str, Any] = {"machine": machine(device)}
    begin = time.perf_counter()
    shares = {name: STAGES[name][0] for name in options.stages}
    with Data(size.n_images) as data:
        for name in options.stages:
            seconds = options.seconds * shares[name] / sum(shares.values())
            bench = Bench(device, size, data, seconds, options.precision)
            for found in STAGES[name][1](bench):
                report[name] = found
                report["seconds"] = time.perf_counter() - begin
                (options.output / "gpu.json").write_text(json.dumps(report, indent=2) + "\n")
            print(json.dumps({name: report[name]}), flush=True)
    return report


def machine(device: torch.device) -> dict[str, Any]:
    """The card, the processor and the versions."""
    facts = provenance()
    card = torch.cuda.get_device_name() if device.type == "cuda" else None
    names = ("processor", "versions", "git", "time")
    return {"card": card, "cores": os.cpu_count(), **{name: facts[name] for name in names}}


if __name__ == "__main__":
    main()


if __name__ == "__main__":
    main()
