"""Training steps a second of one run, and what a captured step is made of."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from disvae import BurgessVAE, VAELoss
from disvae.data import BatchSource
from disvae.models.convolution_stack import ConvolutionStack
from gpu_stages.bench import LR, WARM, Bench, Clock, EnoughError, attempt, rate_of, trainer

NAMES = ("VAE", "beta-TCVAE", "FactorVAE")


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
    tasks = [
        (name, n, way)
        for n in bench.size.batches
        for way in ways
        for name in (NAMES[:1] if way.startswith("plain") else NAMES)
        if way != "plain, compiled" or n == bench.size.batches[0]  # compiling takes long
    ]
    report: dict[str, Any] = {"rows": []}
    for name, n, way in tasks:
        seconds = 0.6 * bench.seconds / len(tasks)
        row = {"loss": name, "batch_size": n, "way": way}
        report["rows"].append({**row, **attempt(lambda: {"rate": ways[way](name, n, seconds)})})  # noqa: B023
        yield report
    if bench.gpu:
        report["profile"] = {name: attempt(lambda: profile_of(bench, name)) for name in NAMES}  # noqa: B023
    yield report


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
    one = trainer(bench, name, batch_size=batch_size)
    one.model.to(memory_format=torch.contiguous_format)
    with patch.object(ConvolutionStack, "forward", nn.Sequential.forward):
        return rate_of(bench, [one], seconds)


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
