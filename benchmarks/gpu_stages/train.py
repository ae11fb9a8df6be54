"""Runs of the FactorVAE paper, as long as there is time for, and their scores."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from disvae import Trainer
from disvae.metrics import evaluate_model
from disvae.training import decompose_dataset, read_log, train_ensemble
from gpu_stages.bench import WARM, Bench, rate_of, trainer


def train(bench: Bench) -> Iterator[dict[str, Any]]:
    """Train by streams for as long as there is time, then score."""
    kinds = [(name, seed) for seed in range(bench.size.seeds) for name in ("FactorVAE", "beta-VAE")]

    def trainers(folder: Path | None) -> list[Trainer]:
        return [
            trainer(
                bench,
                name,
                seed,
                precision=bench.precision,
                checkpoint_every=10**6,
                run_dir=folder / f"{name}-{seed}" if folder else None,
            )
            for name, seed in kinds
        ]

    rate = rate_of(bench, trainers(None), 0.05 * bench.seconds)
    n_steps = max(int(0.6 * bench.seconds * rate / len(kinds)), 2 * WARM)
    report: dict[str, Any] = {"steps": n_steps, "precision": bench.precision, "rows": []}
    yield report
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        trained = train_ensemble(
            trainers(Path(folder)), bench.data(), n_steps, workers=1, progress=False
        )
        report["train_seconds"] = time.perf_counter() - begin
        report["steps_per_second"] = n_steps * len(kinds) / report["train_seconds"]
        for (name, seed), run in zip(kinds, trained, strict=True):
            row = {"loss": name, "seed": seed, **score(bench, run.model().to(bench.device))}
            log = read_log(run.path)
            thinned = log[:: max(1, len(log) // 50)]
            keys = ("step", "reconstruction", "kl", "total_correlation", "discriminator")
            row["log"] = [{key: line[key] for key in keys if key in line} for line in thinned]
            row["reconstruction"] = log[-1]["reconstruction"]
            report["rows"].append(row)
            yield report


def score(bench: Bench, model: Any) -> dict[str, Any]:
    """Scores of both conventions, and the terms of the KL under the exact aggregate posterior."""
    data = bench.data()
    found: dict[str, Any] = {}
    for preset in ("default", "disentanglement_lib"):
        scores = evaluate_model(
            model,
            data,
            n=bench.size.points,
            metrics=["FactorVAE score", "MIG"],
            preset=preset,
            batch_size=1024,
            progress=False,
        )
        found[preset] = {name: float(value) for name, value in scores.items()}
    terms = decompose_dataset(
        model,
        data,
        n_codes=bench.size.points // 20,
        batch_size=4096,
        generator=torch.Generator().manual_seed(0),
        progress=False,
    )
    found["terms"] = {k: float(v) for k, v in terms.mean._asdict().items()}
    found["errors"] = {k: float(v) for k, v in terms.standard_error._asdict().items()}
    return found
