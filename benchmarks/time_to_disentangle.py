"""Time to disentangle: FactorVAE score and MIG over training time and images seen, for five losses.

    python benchmarks/time_to_disentangle.py --steps 3500 --seeds 0 1 2
    python benchmarks/time_to_disentangle.py --seconds 120 --peer PATH --peer_settings own ours
    python benchmarks/time_to_disentangle.py --draw runs/bench/time_to_disentangle.json

PATH is a checkout of YannDubs/disentangling-vae. Its trainer gets the same images, network and
number of threads, and the settings of its own dSprites experiments, ours, or both.

Each side trains in a process of its own. The processes take turns of a few seconds, which lets
whatever else the machine does slow all sides alike. Time is that of the training steps, without
scoring: CPU time for one thread, wall-clock time for more. Scores are those of the posterior means
of images that are not trained on, at moments that lie a constant factor apart.

A run has reached the target at the first moment at which its FactorVAE score is that high: seconds
and images of the table are those until then. Medians and ranges are over the seeds. Several files
given to --draw become one table and figure.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from disvae.data import FactorDataset, Sprites
from disvae.data.subset import FactorSubset
from disvae.metrics import factor_vae_score, mig
from disvae.plots.style import COLOURS, WIDTH, styled
from disvae.training.provenance import provenance

WORKER = Path(__file__).with_name("time_to_disentangle_worker.py")
LOSSES = {
    "vae": "VAE",
    "beta_vae_h": "β-VAE H",
    "beta_vae_b": "β-VAE B",
    "factor_vae": "FactorVAE",
    "beta_tcvae": "β-TCVAE",
}
SIDES = {
    "ours": "disvae",
    "peer": "disentangling-vae",
    "peer_ours": "disentangling-vae, our settings",
}
LINES = {"ours": "-", "peer": "--", "peer_ours": ":"}
SCORE, MIG = "FactorVAE score", "MIG"
FACTOR_VAE_BATCH = 128  # of the peer, whose loss halves it
RATE_STEPS = 40

Run = dict[str, Any]


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, write JSON and figures, and print a table."""
    options = parse(argv)
    if options.draw:
        reports = [json.loads(file.read_text()) for file in options.draw]
        report = {**reports[0], "runs": [run for report in reports for run in report["runs"]]}
    else:
        report = measure(options)
    print(table(report["runs"], report["target"]))
    for axis in ("seconds", "images"):
        suffix = "" if axis == "seconds" else "_images"
        figure = draw(report["runs"], axis, report["target"])
        figure.savefig(options.output / f"time_to_disentangle{suffix}.png")
    return report


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--losses", nargs="+", default=list(LOSSES), choices=LOSSES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=3500, help="of ours")
    parser.add_argument("--seconds", type=float, help="of ours, instead of steps")
    parser.add_argument("--peer", type=Path, help="a checkout of disentangling-vae")
    parser.add_argument("--peer_settings", nargs="+", default=["own"], choices=["own", "ours"])
    parser.add_argument("--peer_factor", type=float, default=2.0, help="its time, of ours")
    parser.add_argument("--size", type=int, default=32, choices=[32, 64], help="of the images")
    parser.add_argument("--images", type=int, default=60_000, help="to train on")
    parser.add_argument("--held", type=int, default=10_000, help="images to score on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turn", type=float, default=2.0, help="seconds of a turn")
    parser.add_argument("--first", type=float, default=4.0, help="seconds before the first scores")
    parser.add_argument("--growth", type=float, default=1.2, help="of the seconds between scores")
    parser.add_argument("--target", type=float, default=0.75, help="the FactorVAE score to reach")
    parser.add_argument("--draw", nargs="+", type=Path, help="files to draw: nothing is trained")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    if options.images < FACTOR_VAE_BATCH:
        parser.error(f"expected {FACTOR_VAE_BATCH} --images or more, got {options.images}")
    options.sides = ["ours"]
    if options.peer:
        options.peer = options.peer.resolve()
        names = {"own": "peer", "ours": "peer_ours"}
        options.sides += [names[kind] for kind in options.peer_settings]
    options.output.mkdir(parents=True, exist_ok=True)
    return options


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Train all sides for each loss and seed, and write the report after each of them."""
    report: dict[str, Any] = {
        "machine": machine(options.threads),
        "settings": {k: v for k, v in vars(options).items() if isinstance(v, (int, float))},
        "target": options.target,
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "images.npz"
        factors = write_images(data, options)
        for seed in options.seeds:
            for loss in options.losses:
                report["runs"] += race(loss, seed, data, factors, options)
                text = json.dumps(report, indent=2) + "\n"
                (options.output / "time_to_disentangle.json").write_text(text)
    return report


def machine(threads: int) -> dict[str, Any]:
    """Describe the machine and the code."""
    origin = provenance()
    return {
        "processor": origin["processor"],
        "cores": os.cpu_count(),
        "threads": threads,
        "clock": "CPU time" if threads == 1 else "wall-clock time",
        "torch": origin["versions"]["torch"],
        "git": origin["git"],
        "time": origin["time"],
    }


def write_images(file: Path, options: argparse.Namespace) -> np.ndarray:
    """Write images to train on and others to score on, and return the factors of the latter."""
    data = Sprites(options.size)
    order = np.random.default_rng(0).permutation(len(data))
    train = order[: options.images]
    held: FactorDataset = FactorSubset(data, order[options.images :][: options.held])
    indices = range(len(held))
    np.savez(
        file,
        train=data.images(train).numpy(),
        held=held.images(indices).numpy(),
        max_value=data.max_value,
    )
    return held.factors(indices).numpy()


def race(
    loss: str, seed: int, data: Path, factors: np.ndarray, options: argparse.Namespace
) -> list[Run]:
    """Train all sides from one seed, in turns, and score them on the way.

    Ours ends after its steps, and the peer's after so many times the seconds that ours took.
    """
    steps = steps_in(options.seconds, loss, data, options) if options.seconds else options.steps
    workers = {side: Worker(side, loss, seed, steps, data, options) for side in options.sides}
    runs = {
        side: {"loss": loss, "side": side, "seed": seed, "points": []} for side in options.sides
    }
    for side, worker in workers.items():
        runs[side]["settings"] = worker.ask("settings")
    due = dict.fromkeys(workers, options.first)
    budget = math.inf
    while workers:
        for side, worker in list(workers.items()):
            state = worker.ask(f"train {options.turn}")
            finished = state.pop("finished") or (side != "ours" and state["seconds"] >= budget)
            if finished or state["seconds"] >= due[side]:
                due[side] = options.growth * max(due[side], state["seconds"])
                runs[side]["points"].append(point := {**state, **scores(worker, data, factors)})
                print(line(loss, seed, side, point), file=sys.stderr, flush=True)
            if finished:
                workers.pop(side).close()
            if finished and side == "ours":
                budget = options.peer_factor * state["seconds"]
    return list(runs.values())


def steps_in(seconds: float, loss: str, data: Path, options: argparse.Namespace) -> int:
    """Return how many steps ours takes in so many seconds, by the rate of some others."""
    worker = Worker("ours", loss, 0, RATE_STEPS, data, options)
    first, last = worker.ask("train 0"), worker.ask("train inf")
    worker.close()
    rate = (last["steps"] - first["steps"]) / (last["seconds"] - first["seconds"])
    return max(1, round(seconds * rate))


def scores(worker: "Worker", data: Path, factors: np.ndarray) -> dict[str, float]:
    """Score a model by its posterior means of the held images."""
    file = data.with_name("means.npy")
    error = worker.ask(f"score {file}")
    means = np.load(file)
    return {
        SCORE: float(factor_vae_score(means, factors)),
        MIG: float(mig(means, factors, bins=20)),
        **error,
    }


def line(loss: str, seed: int, side: str, point: dict[str, float]) -> str:
    """Format one moment of a run."""
    return (
        f"{loss:11} seed {seed} {side:9} {point['seconds']:6.0f} s {point['images']:9,.0f} images"
        f"  {SCORE} {point[SCORE]:.3f}  {MIG} {point[MIG]:.3f}"
    )


class Worker:
    """Process that trains one side.

    Args:
        side: "ours", "peer" or "peer_ours".
        loss: which loss.
        seed: of the weights, the batches and the codes.
        steps: of ours.
        data: the file of the images.
        options: of the command line.
    """

    def __init__(
        self, side: str, loss: str, seed: int, steps: int, data: Path, options: argparse.Namespace
    ) -> None:
        command = [sys.executable, str(WORKER), side, "--loss", loss, "--seed", str(seed)]
        command += ["--steps", str(steps), "--data", str(data), "--threads", str(options.threads)]
        if options.peer:
            command += ["--peer", str(options.peer)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": str(options.threads)},
        )

    def ask(self, command: str) -> dict[str, Any]:
        """Send a command, and wait for the answer.

        Raises:
            RuntimeError: if the worker has stopped.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"a worker stopped, see above: {self._process.args!r}")
        state: dict[str, Any] = json.loads(answer)
        return state

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def table(runs: Sequence[Run], target: float) -> str:
    """Format medians and ranges over the seeds, and the ratios of the times, as Markdown."""
    heads = ["loss", "trainer", SCORE, MIG, "reconstruction (nats)", "reached", "seconds"]
    rows = [[*heads, "thousand images", "times ours"], ["---"] * 9]
    for loss, side, group in groups(runs):
        final = [run["points"][-1] for run in group]
        seconds = [first_time(run, "seconds", target) for run in group]
        images = [first_time(run, "images", target) / 1000 for run in group]
        row = [LOSSES[loss], SIDES[side]]
        row += [cell([p[name] for p in final], ".2f") for name in (SCORE, MIG)]
        row += [cell([p["reconstruction"] for p in final], ".1f")]
        row += [f"{sum(map(math.isfinite, seconds))} of {len(group)}"]
        row += [cell(seconds, ".0f"), cell(images, ".0f")]
        rows.append([*row, "" if side == "ours" else ratio(runs, loss, side, target)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def groups(runs: Sequence[Run]) -> list[tuple[str, str, list[Run]]]:
    """Group the runs by loss and side."""
    found = [
        (loss, side, [run for run in runs if (run["loss"], run["side"]) == (loss, side)])
        for loss in LOSSES
        for side in SIDES
    ]
    return [group for group in found if group[2]]


def first_time(run: Run, axis: str, target: float) -> float:
    """Return the seconds or images after which a run first has the score, or infinity."""
    return min((p[axis] for p in run["points"] if p[SCORE] >= target), default=math.inf)


def cell(values: Sequence[float], form: str) -> str:
    """Format a median and a range, with "-" for a time that never came."""
    low, middle, high = (
        format(value, form) if math.isfinite(value) else "-"
        for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def ratio(runs: Sequence[Run], loss: str, side: str, target: float) -> str:
    """Format the ratio of a peer's median time to the target to ours.

    It is a lower bound if the peer ended before the target, and "-" if ours did.
    """
    found = {name: group for known, name, group in groups(runs) if known == loss}
    mine, theirs = (
        statistics.median(first_time(run, "seconds", target) for run in found[name])
        for name in ("ours", side)
    )
    spent = statistics.median(run["points"][-1]["seconds"] for run in found[side])
    if math.isinf(mine):
        return "-"
    return f"> {spent / mine:.1f}" if math.isinf(theirs) else f"{theirs / mine:.1f}"


@styled
def draw(runs: Sequence[Run], axis: str, target: float) -> Figure:
    """Draw score and MIG over seconds or images: lines are medians, bands are ranges."""
    losses = list(dict.fromkeys(loss for loss, _, _ in groups(runs)))
    figure = Figure(figsize=(max(4.5, WIDTH * len(losses) / 5), 4.0), layout="constrained")
    panels = figure.subplots(2, len(losses), squeeze=False, sharex=True, sharey="row")
    for loss, side, group in groups(runs):
        colour = COLOURS[list(SIDES).index(side)]
        for axes, name in zip(panels[:, losses.index(loss)], (SCORE, MIG), strict=True):
            x, low, middle, high = band(group, axis, name)
            x = x / 1000 if axis == "images" else x
            axes.plot(x, middle, LINES[side], color=colour, lw=1.4, label=SIDES[side])
            axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)
    for axes, loss in zip(panels[0], losses, strict=True):
        axes.set(title=LOSSES[loss], xscale="log", ylim=(0, 1))
        axes.axhline(target, color="0.6", lw=0.8, zorder=0)
    for axes, name in zip(panels[:, 0], (SCORE, MIG), strict=True):
        axes.set(ylabel=name, ylim=(0, None))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))  # shared with all columns
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    label = "seconds of training" if axis == "seconds" else "thousand images seen"
    figure.supxlabel(label, fontsize=9)
    figure.legend(*legend(panels), loc="outside upper right", ncols=len(SIDES))
    return figure


def legend(panels: np.ndarray) -> tuple[list[Any], list[str]]:
    """Return one line for each side that is drawn anywhere, and its name."""
    found: dict[str, Any] = {}
    for axes in panels.flat:
        lines, names = axes.get_legend_handles_labels()
        found.update(zip(names, lines, strict=True))
    return list(found.values()), list(found)


def band(group: Sequence[Run], axis: str, name: str) -> np.ndarray:
    """Compute moments, minima, medians and maxima (4, n) of several runs.

    The runs are interpolated between the moments of their scores, over the time that all share.
    """
    curves = [np.array([(p[axis], p[name]) for p in run["points"]]).T for run in group]
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    moments = np.unique(np.concatenate([x for x, _ in curves]))
    moments = moments[(start <= moments) & (moments <= end)]
    values = np.array([np.interp(moments, x, y) for x, y in curves])
    return np.array([moments, values.min(0), np.median(values, 0), values.max(0)])


if __name__ == "__main__":
    main()
