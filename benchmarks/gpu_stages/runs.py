"""Several runs at once: by streams, and as one step with stacked weights."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from disvae import BurgessVAE
from disvae.data import BatchSource
from disvae.training.precision import multiplying_in
from gpu_stages.bench import LOSSES, LR, WARM, Bench, Clock, EnoughError, attempt, rate_of, trainer
from gpu_stages.stacked import StackedStep


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
