"""How long a report takes to write, and how large it is.

    python benchmarks/report.py --output runs/bench

A run in ten dimensions, hardly trained since that changes neither, on as many images as a report
decomposes the KL of by default, grey and in colour. Everything is measured for the report, as
without an evaluation.json. Prints JSON, and writes it to report.json.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from disvae import BurgessVAE, Trainer, VAELoss
from disvae.data import ImageDataset, Scenes3D, Sprites, random_subset
from disvae.plots import ReportSettings, write_report


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=ReportSettings().largest_data)
    parser.add_argument("--steps", type=int, default=100, help="of training")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    report: dict[str, Any] = {"threads": torch.get_num_threads(), "images": options.images}
    for whole in (Sprites(), Scenes3D()):
        data = random_subset(whole, options.images)
        report[type(whole).__name__] = measure(data, options.steps)
    print(json.dumps(report, indent=2))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "report.json").write_text(json.dumps(report, indent=2))
    return report


def measure(data: ImageDataset, steps: int) -> dict[str, float]:
    """Seconds on the clock and of the processor for one report, and its megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        torch.manual_seed(0)
        model = BurgessVAE(data.image_shape, latent_dim=10)
        trainer = Trainer(
            model, VAELoss(), lr=1e-3, run_dir=folder, accelerator="cpu", progress=False
        )
        trainer.fit(data, steps)
        start, used = time.perf_counter(), time.process_time()
        file = write_report([folder])
        return {
            "seconds": time.perf_counter() - start,
            "processor_seconds": time.process_time() - used,
            "megabytes": file.stat().st_size / 1e6,
            "load": os.getloadavg()[0],
        }


if __name__ == "__main__":
    main()
