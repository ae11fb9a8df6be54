"""A GPU, seen: what holds there, how fast it is, and what it trains in minutes.

    python benchmarks/gpu.py                            # eight minutes on an NVIDIA GPU
    python benchmarks/gpu.py --device cpu --seconds 60  # the same at a tiny size

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
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
from gpu_stacked import StackedStep

from disvae import (
    BetaTCVAELoss,
    BetaVAEHLoss,
    BurgessVAE,
    FactorVAELoss,
    Loss,
    Trainer,
    VAELoss,
)
from disvae.data import BatchSource, ImageDataset, Sprites, random_subset, store
from disvae.metrics import evaluate_model
from disvae.models import Discriminator
from disvae.models.convolution_stack import ConvolutionStack
from disvae.training import decompose_dataset, read_log, train_ensemble
from disvae.training.precision import multiplying_in
from disvae.training.provenance import provenance
from disvae.training.turns import take_turns

ROOT = Path(__file__).parents[1]
STAGES = {"checks": 0.15, "steps": 0.2, "runs": 0.2, "train": 0.45}  # shares of the time
WARM = 8  # steps before the clock starts; a step is captured in the fourth
LR = 1e-4


class Size(NamedTuple):
    """How much of everything."""

    n_images: int
    batches: tuple[int, ...]
    runs: tuple[int, ...]
    seeds: int
    hidden: int  # units of the discriminator
    points: int  # images that scores are of


FULL = Size(737_280, (64, 1024), (1, 4, 16, 32), 2, 1000, 10_000)
TINY = Size(2_000, (8,), (1, 2), 1, 20, 200)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Go through the stages, and write ``gpu.json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--seconds", type=float, default=480.0, help="for all stages together")
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=list(STAGES))
    parser.add_argument("--precision", default="32-true", help="of the last stage")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)
    device, size = torch.device(options.device), FULL if options.device == "cuda" else TINY
    report: dict[str, Any] = {"machine": machine(device)}
    begin = time.perf_counter()
    whole = sum(STAGES[name] for name in options.stages)
    with Data(size.n_images) as data:
        for name in options.stages:
            seconds = options.seconds * STAGES[name] / whole
            bench = Bench(device, size, data, seconds, options.precision)
            for found in STAGE_OF[name](bench):
                report[name] = found
                report["seconds"] = time.perf_counter() - begin
                (options.output / "gpu.json").write_text(json.dumps(report, indent=2) + "\n")
            print(json.dumps({name: report[name]}), flush=True)
    return report


class Data:
    """The sprites, drawn while the first stage runs."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> "Data":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _draw(self) -> None:
        sprites = Sprites()
        some = sprites if self._n >= len(sprites) else random_subset(sprites, self._n, seed=0)
        self._stored = store(some, progress=False)

    def __call__(self) -> Any:
        """The images, once they are drawn."""
        self._thread.join()
        return self._stored


class Bench(NamedTuple):
    """What a stage needs to know."""

    device: torch.device
    size: Size
    data: Data
    seconds: float
    precision: str

    @property
    def gpu(self) -> bool:
        """Whether it is one."""
        return self.device.type == "cuda"

    def synchronize(self) -> None:
        """Wait for all work in flight."""
        if self.gpu:
            torch.cuda.synchronize()


# The first stage


def checks(bench: Bench) -> Iterator[dict[str, Any]]:
    """Run the tests marked ``gpu`` in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tests.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", f"--junitxml={file}"]
        command += [
            "-p",
            "no:cacheprovider",
            "-p",
            "no:benchmark",
            "tests/losses",
            "tests/training/test_gpu.py",
        ]
        limit = max(4 * bench.seconds, 60.0)  # it is the stage that must not be cut
        done = subprocess.run(
            command, cwd=ROOT, timeout=limit, capture_output=True, text=True, check=False
        )
        if not file.exists():
            yield {"error": (done.stdout + done.stderr)[-2000:]}
            return
        yield summary_of_tests(ElementTree.parse(file).getroot())


def summary_of_tests(root: ElementTree.Element) -> dict[str, Any]:
    """How many passed, and why others did not."""
    cases = list(root.iter("testcase"))
    failed = {
        case.get("name", ""): (problem.get("message") or "")[:300]
        for case in cases
        for problem in (case.find("failure"), case.find("error"))
        if problem is not None
    }
    skipped = sum(case.find("skipped") is not None for case in cases)
    return {"passed": len(cases) - len(failed) - skipped, "skipped": skipped, "failed": failed}


# The second stage


class EnoughError(Exception):
    """The time of a measurement is over."""


class Clock:
    """A source of batches that counts the steps of all who ask, and ends them in time.

    Args:
        source: of the batches.
        bench: where.
        seconds: to measure for.
        warm: how many batches are given before the clock starts.
    """

    def __init__(self, source: Any, bench: Bench, seconds: float, warm: int) -> None:
        self._source, self._bench = source, bench
        self._limit, self._warm = seconds, warm
        self._given, self._begin = 0, 0.0

    def __len__(self) -> int:
        return len(self._source.dataset)

    def batch(self, step: int) -> Tensor:
        """The next batch."""
        late = self._given > self._warm and time.perf_counter() - self._begin > self._limit
        if late:
            raise EnoughError
        if self._given == self._warm:
            self._bench.synchronize()
            self._begin = time.perf_counter()
        elif self._given % 50 == 0:  # what is asked for without end is measured without end
            self._bench.synchronize()
        self._given += 1
        batch: Tensor = self._source.batch(step)
        return batch

    def rate(self) -> float:
        """Steps a second."""
        self._bench.synchronize()
        return (self._given - self._warm) / (time.perf_counter() - self._begin)


LOSSES: dict[str, Callable[[Size], Loss]] = {
    "VAE": lambda size: VAELoss(),
    "beta-TCVAE": lambda size: BetaTCVAELoss(size.n_images),
    "FactorVAE": lambda size: FactorVAELoss(
        10, gamma=35.0, discriminator=Discriminator(10, size.hidden)
    ),
}


def trainer(bench: Bench, name: str, seed: int = 0, **settings: Any) -> Trainer:
    """A run as in the paper."""
    torch.manual_seed(seed)
    settings = {"precision": "32-true", "batch_size": 64, "threads": 1, **settings}
    return Trainer(
        BurgessVAE((1, 64, 64)),
        LOSSES[name](bench.size),
        lr=LR,
        seed=seed,
        accelerator=bench.device.type,
        log_every=1_000,
        progress=False,
        **settings,
    )


def rate_of(bench: Bench, trainers: Sequence[Trainer], seconds: float) -> float:
    """Steps a second of trainers in turns."""
    batch_size = trainers[0].arguments["batch_size"]
    source = BatchSource(bench.data(), batch_size, 0, bench.device)
    clock = Clock(source, bench, seconds, WARM * len(trainers))
    try:
        take_turns(trainers, clock, 10**9)
    except EnoughError:
        pass
    except RuntimeError as error:  # one that several raised
        if not str(error).startswith(f"{len(trainers)} of {len(trainers)} runs failed: ; "):
            raise
    return clock.rate()


def steps(bench: Bench) -> Iterator[dict[str, Any]]:
    """Steps a second, by what makes a difference to them."""
    low = "bf16-mixed" if bench.gpu else "32-true"
    ways: dict[str, Callable[[str, int, float], float]] = {
        "as it is": lambda name, n, s: ours(bench, name, n, s, fast=False),
        "captured": lambda name, n, s: ours(bench, name, n, s, fast=True),
        "captured, tf32": lambda name, n, s: ours(bench, name, n, s, precision="tf32"),
        "captured, bf16": lambda name, n, s: ours(bench, name, n, s, precision=low),
        "captured, channels first": lambda name, n, s: channels_first(bench, name, n, s),
        "plain PyTorch": lambda name, n, s: plain(bench, n, s, compiled=False),
        "plain, compiled": lambda name, n, s: plain(bench, n, s, compiled=True),
    }
    if not bench.gpu:
        ways = {name: ways[name] for name in ("as it is", "plain PyTorch")}
    losses = list(LOSSES)
    tasks = [
        (name, n, way)
        for n in bench.size.batches
        for way in ways
        for name in (losses[:1] if way.startswith("plain") else losses)
        if way != "plain, compiled" or n == bench.size.batches[0]  # compiling takes long
    ]
    report: dict[str, Any] = {"rows": []}
    for name, n, way in tasks:
        seconds = 0.6 * bench.seconds / len(tasks)
        row = {"loss": name, "batch_size": n, "way": way}
        report["rows"].append({**row, **attempt(lambda: {"rate": ways[way](name, n, seconds)})})  # noqa: B023
        yield report
    if bench.gpu:
        report["profile"] = {name: attempt(lambda: profile_of(bench, name)) for name in LOSSES}  # noqa: B023
    yield report


def attempt(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is measured, or why it failed."""
    try:
        return measure()
    except Exception as error:  # the next measurement is another matter
        return {"failed": f"{type(error).__name__}: {error}"[:500]}


def ours(bench: Bench, name: str, batch_size: int, seconds: float, **settings: Any) -> float:
    """The rate of the trainer's steps."""
    return rate_of(bench, [trainer(bench, name, batch_size=batch_size, **settings)], seconds)


def plain(bench: Bench, batch_size: int, seconds: float, compiled: bool) -> float:
    """The rate of a VAE's steps by a loop that everybody writes."""
    torch.manual_seed(0)
    model, criterion = BurgessVAE((1, 64, 64)).to(bench.device), VAELoss()
    optimizer = torch.optim.Adam(model.parameters(), LR)

    def loss_of(batch: Tensor) -> Tensor:
        return criterion(model, batch).loss

    forward = torch.compile(loss_of) if compiled else loss_of
    clock = Clock(BatchSource(bench.data(), batch_size, 0, bench.device), bench, seconds, WARM)
    step = 0
    while True:
        try:
            batch = clock.batch(step)
        except EnoughError:
            return clock.rate()
        optimizer.zero_grad()
        forward(batch).backward()
        optimizer.step()
        step += 1


def channels_first(bench: Bench, name: str, batch_size: int, seconds: float) -> float:
    """The rate of the trainer's steps with maps and weights in PyTorch's own order in memory."""
    ours_forward = ConvolutionStack.forward
    ConvolutionStack.forward = nn.Sequential.forward
    try:
        one = trainer(bench, name, batch_size=batch_size)
        one.model.to(memory_format=torch.contiguous_format)
        return rate_of(bench, [one], seconds)
    finally:
        ConvolutionStack.forward = ours_forward


def profile_of(bench: Bench, name: str) -> dict[str, Any]:
    """What a captured step of 64 images does on the GPU, and on the host."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    one = trainer(bench, name)
    one.fit(bench.data(), 50)
    record = one.fit(bench.data(), 350)
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        one.fit(bench.data(), 650)
        torch.cuda.synchronize()
    kernels = [e for e in profiled.events() if e.device_type == DeviceType.CUDA]
    ms: dict[str, float] = {}
    for kernel in kernels:
        ms[kernel.name[:120]] = (
            ms.get(kernel.name[:120], 0.0) + kernel.time_range.elapsed_us() / 3e5
        )
    return {
        "busy": covered([(e.time_range.start, e.time_range.end) for e in kernels]),
        "kernels_per_step": len(kernels) / 300,
        "longest_ms": dict(sorted(ms.items(), key=lambda item: -item[1])[:15]),
        "host_ms": {key: value for key, value in record.items() if key.startswith("ms_")},
    }


def covered(intervals: Sequence[tuple[float, float]]) -> float:
    """The share of the time from the first to the last that lies in at least one interval."""
    ordered = sorted(intervals)
    total, reached = 0.0, ordered[0][0]
    for start, end in ordered:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total / (reached - ordered[0][0])


# The third stage


def runs(bench: Bench) -> Iterator[dict[str, Any]]:
    """Steps of all runs a second, by the number of runs."""
    stacked: dict[str, dict[str, Any]] = {
        "stacked": {},
        "stacked, products": {"products": True},
        "stacked, products, tf32": {"products": True, "precision": "tf32"},
        "stacked, products, bf16": {"products": True, "low": True},
    }
    names = ["FactorVAE"]
    tasks = [
        (name, k, way) for name in names for k in bench.size.runs for way in ("streams", *stacked)
    ]
    seconds = 0.5 * bench.seconds / len(tasks)
    report: dict[str, Any] = {"rows": []}
    for name, k, way in tasks:
        if way == "streams":
            found = attempt(lambda: {"rate": streams(bench, name, k, seconds)})  # noqa: B023
        else:
            found = attempt(lambda: {"rate": at_once(bench, name, k, seconds, **stacked[way])})  # noqa: B023
        report["rows"].append({"loss": name, "runs": k, "way": way, **found})
        yield report


def streams(bench: Bench, name: str, k: int, seconds: float) -> float:
    """The rate of ``train_ensemble``'s way."""
    return rate_of(bench, [trainer(bench, name, seed) for seed in range(k)], seconds)


def at_once(
    bench: Bench, name: str, k: int, seconds: float, precision: Any = "32-true", **how: bool
) -> float:
    """The rate of one step of all runs, captured where there is a GPU."""
    with multiplying_in(precision):
        return stacked_rate(bench, name, k, seconds, **how)


def stacked_rate(bench: Bench, name: str, k: int, seconds: float, **how: bool) -> float:
    """The rate of one step of all runs, as matrices are multiplied at present."""
    torch.manual_seed(0)
    pairs = [(BurgessVAE((1, 64, 64)), LOSSES[name](bench.size)) for _ in range(k)]
    step = StackedStep(pairs, LR, bench.device, **how)
    source = BatchSource(bench.data(), 64 * k, 0, bench.device)
    clock = Clock(source, bench, seconds, WARM)
    batch = source.batch(0).unflatten(0, (k, 64))
    take: Callable[[Tensor], Any] = step
    if bench.gpu:
        take = captured(step, batch)
    for number in range(10**9):
        try:
            batch = clock.batch(number)
        except EnoughError:
            return k * clock.rate()
        take(batch.unflatten(0, (k, 64)))
    raise AssertionError


def captured(step: StackedStep, batch: Tensor) -> Callable[[Tensor], Any]:
    """The step as a CUDA graph."""
    for group in step.optimizer.param_groups:
        group["capturable"] = True
    mine, stream = batch.clone(), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step(mine)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(mine)

    def replay(batch: Tensor) -> None:
        mine.copy_(batch)
        graph.replay()

    return replay


# The fourth stage


def train(bench: Bench) -> Iterator[dict[str, Any]]:
    """Train by streams for as long as there is time, then score."""
    make = {"FactorVAE": LOSSES["FactorVAE"], "beta-VAE": lambda size: BetaVAEHLoss(beta=4.0)}
    LOSSES.update(make)
    kinds = [(name, seed) for seed in range(bench.size.seeds) for name in make]

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
    data: ImageDataset = bench.data()
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


STAGE_OF: dict[str, Callable[[Bench], Iterator[dict[str, Any]]]] = {
    "checks": checks,
    "steps": steps,
    "runs": runs,
    "train": train,
}


def machine(device: torch.device) -> dict[str, Any]:
    """The card, the processor and the versions."""
    facts = provenance()
    card = torch.cuda.get_device_name() if device.type == "cuda" else None
    names = ("processor", "versions", "git", "time")
    return {"card": card, "cores": os.cpu_count(), **{name: facts[name] for name in names}}


if __name__ == "__main__":
    main()
