"""The demo over seeds: how often its recipe disentangles, and what its parts are for.

    python benchmarks/demo_seeds.py                                # ten seeds of the demo's recipes
    python benchmarks/demo_seeds.py --ways broadcast broadcast_vae --seeds 0 1 2 3
    python benchmarks/demo_seeds.py --draw benchmarks/results/demo_seeds.json

Every run is `disvae train` in a process of one thread, two at a time. Runs that are complete are
not trained again: the same command goes on where it was stopped. A run is scored on 10,000 images:
FactorVAE score and MIG (20 bins) of the posterior means, and for each factor the dimension that
knows most of it. "lead" is what that dimension knows of its factor, divided by the most that it
knows of another. "live" is the FactorVAE score in disentanglement_lib's convention, which leaves
collapsed dimensions out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from disvae.data import FactorDataset
from disvae.metrics import evaluate_model
from disvae.metrics.factor_rows import factor_rows
from disvae.plots.style import COLOURS, styled
from disvae.training import load_run, read_log
from disvae.training.provenance import provenance

# A recipe of the demo, and options that change it.
WAYS: dict[str, list[str]] = {
    "beta_tcvae": ["--recipe", "sprites_beta_tcvae"],
    "vae": ["--recipe", "sprites_vae"],
    "broadcast": ["--recipe", "sprites_broadcast"],
    "broadcast_vae": ["--recipe", "sprites_vae", "--model", "BroadcastVAE"],
    "factor_vae": ["--recipe", "sprites_factor_vae"],
}
TITLES = {
    "beta_tcvae": "β-TCVAE",
    "vae": "VAE",
    "broadcast": "β-TCVAE, BroadcastVAE",
    "broadcast_vae": "VAE, BroadcastVAE",
    "factor_vae": "FactorVAE",
}
SCORES = ("FactorVAE score", "MIG")
FOUND = ("scale", "position_x", "position_y")  # the factors that the demo promises


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Train what is missing, score everything, print the table, write JSON and the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--ways", nargs="+", default=["beta_tcvae", "vae"], choices=list(WAYS))
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(10)))
    parser.add_argument("--runs", type=Path, default=Path("runs/demo_seeds"), help="their folder")
    parser.add_argument("--at_once", type=int, default=2, help="runs at a time")
    parser.add_argument("--points", type=int, default=10_000, help="images to score on")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="of disvae train")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    parser.add_argument("--draw", type=Path, metavar="JSON", help="redraw the figure of a report")
    options = parser.parse_args(argv)
    if options.draw:
        report: dict[str, Any] = json.loads(options.draw.read_text())
        figure(report).savefig(options.draw.with_suffix(".png"))
        return report
    folders = {(way, seed): options.runs / f"{way}-{seed}" for way in options.ways
               for seed in options.seeds}  # fmt: skip
    with ThreadPoolExecutor(options.at_once) as pool:
        jobs = [
            pool.submit(train, *run, folder, options.options) for run, folder in folders.items()
        ]
        for job in jobs:
            job.result()
    rows = [
        {"way": way, "seed": seed, **score(folder, options.points)}
        for (way, seed), folder in folders.items()
    ]
    report = {"machine": machine(), "points": options.points, "rows": rows}
    report["summary"] = {way: summary([r for r in rows if r["way"] == way]) for way in options.ways}
    print(table(report))
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "demo_seeds.json"
    file.write_text(json.dumps(report, indent=2) + "\n")
    figure(report).savefig(file.with_suffix(".png"))
    return report


def train(way: str, seed: int, folder: Path, more: Sequence[str]) -> None:
    """Train a run to its end, or find it complete."""
    command = [sys.executable, "-m", "disvae.cli", "train", *WAYS[way], "--seed", str(seed)]
    command += ["--run_dir", str(folder), "--progress", "false", "--accelerator", "cpu", *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def score(folder: Path, points: int) -> dict[str, Any]:
    """Score a finished run on some images of its data set."""
    run = load_run(folder)
    data = run.data()
    assert isinstance(data, FactorDataset)
    scores, live = (
        evaluate_model(
            run.model(), data, n=points, metrics=list(SCORES), preset=preset, progress=False
        )
        for preset in ("default", "disentanglement_lib")
    )
    scores["MIG"] = live["MIG"]  # whose bins are 20
    last = read_log(folder)[-1]
    rows = factor_rows(scores["MIG"])
    return {
        **{name: float(scores[name]) for name in SCORES},
        "live": float(live["FactorVAE score"]),
        "per_factor": {name: scores[name].per_factor for name in SCORES},
        "rows": {factor: row._asdict() for factor, row in rows.items()},
        "reconstruction": last["reconstruction"],
        "kl": last["kl"],
        "steps": last["step"],
        "images_per_second": last["images_per_second"],
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and range of each score, and in how many runs each factor has a row of its own."""
    found = {f: sum(r["rows"][f]["lead"] >= 2 for r in rows) for f in FOUND if f in rows[0]["rows"]}
    return {
        "n_seeds": len(rows),
        **{
            name: {
                "mean": statistics.fmean(values := [row[name] for row in rows]),
                "smallest": min(values),
                "largest": max(values),
            }
            for name in (*SCORES, "live", "reconstruction")
        },
        "alone_in_a_row": found,
    }


def table(report: dict[str, Any]) -> str:
    """The summary as text."""
    lines = [
        f"{'':21} {'FactorVAE score':>21} {'live':>21} {'MIG':>21} {'reconstruction':>15}"
        "  rows of one factor"
    ]
    for way, found in report["summary"].items():
        cells = [
            f"{found[n]['mean']:8.3f} ({found[n]['smallest']:.3f}-{found[n]['largest']:.3f})"
            for n in (SCORES[0], "live", SCORES[1])
        ]
        rows = ", ".join(f"{f} {n}/{found['n_seeds']}" for f, n in found["alone_in_a_row"].items())
        lines.append(
            f"{TITLES[way]:21} {cells[0]:>21} {cells[1]:>21} {cells[2]:>21} "
            f"{found['reconstruction']['mean']:15.1f}  {rows}"
        )
    return "\n".join(lines)


@styled
def figure(report: dict[str, Any]) -> Figure:
    """Each seed as a dot, each way a row; the bar is the mean."""
    ways = list(report["summary"])
    result = Figure(figsize=(7.5, 0.8 + 0.45 * len(ways)), layout="constrained")
    for axes, name in zip(result.subplots(1, 2, sharey=True), SCORES, strict=True):
        for i, way in enumerate(ways):
            values = [row[name] for row in report["rows"] if row["way"] == way]
            axes.plot(values, [i] * len(values), "o", ms=5, alpha=0.5, color=COLOURS[i])
            axes.plot(
                [report["summary"][way][name]["mean"]] * 2, [i - 0.3, i + 0.3], color=COLOURS[i]
            )
        axes.set_xlim(0, 1 if name == SCORES[0] else 0.6)
        axes.set_title(name if name == SCORES[0] else "MIG (20 bins)")
    result.axes[0].set_yticks(range(len(ways)), [TITLES[way] for way in ways])
    result.axes[0].set_ylim(len(ways) - 0.5, -0.5)
    return result


def machine() -> dict[str, Any]:
    """The processor and the versions."""
    names = ("processor", "versions", "git", "time")
    facts = provenance()
    return {"cores": os.cpu_count(), **{name: facts[name] for name in names}}


if __name__ == "__main__":
    main()
