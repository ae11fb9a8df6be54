"""Training by several processes: how many there are, and losses that see the batches of all."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd.function import FunctionCtx
from torch.distributions import Distribution

from disvae.divergence import map_parameters
from disvae.training.precision import Precision, of_fabric


def launch(accelerator: str, devices: int, precision: Precision) -> Any:
    """Fabric on this machine's devices, or as ``torchrun`` or its like started this process.

    Args:
        accelerator: kind of device.
        devices: how many, unless a launcher of processes decides.
        precision: of the weights and of what is computed.

    Raises:
        ValueError: this machine has no such device, or the device no such precision.
    """
    from lightning_fabric import Fabric

    machines = 1
    if "LOCAL_WORLD_SIZE" in os.environ:  # torchrun has it, the processes that Fabric starts do not
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        machines = int(os.environ["WORLD_SIZE"]) // devices
    try:
        with _without_advice():
            fabric = Fabric(
                accelerator=accelerator,
                devices=devices,
                num_nodes=machines,
                precision=of_fabric(precision),
            )
    except (RuntimeError, ImportError) as error:
        raise ValueError(f"accelerator {accelerator!r}, devices {devices}: {error}") from error
    if precision == "tf32" and fabric.device.type != "cuda":
        raise ValueError(
            f"precision 'tf32' is of NVIDIA's GPUs, but this trains on the device {fabric.device}: "
            "give precision='32-true' (--precision 32-true)"
        )
    with _without_advice():
        fabric.launch()
    return fabric


@contextmanager
def _without_advice() -> Iterator[None]:
    """Keep Fabric from telling what the precision is, and that there are others: we do."""
    log = logging.getLogger("lightning_fabric.utilities.rank_zero")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


class GlobalBatch:
    """A model as a loss sees it in one of several processes: its own images, the codes of all.

    What a loss makes of the codes of a batch, be it the aggregate posterior, a covariance or
    permuted dimensions, is then of the whole batch, as if one process had it. Every process
    computes the same penalty, and the mean of their gradients is that of the whole: a process's
    codes get their gradient from all of them, as many times as there are processes, and the mean
    divides by this number.

    Args:
        model: called with images, it gives a posterior, codes and the decoder's output. What it
            gives otherwise is left as it is.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, *arguments: Any) -> Any:
        """What the model gives, with the posterior and the codes of all processes."""
        output = self._model(*arguments)
        if not (isinstance(output, tuple) and isinstance(output[0], Distribution)):
            return output
        posterior, z, *rest = output
        return (_of_all(posterior), gather(z), *rest)

    @property
    def local(self) -> Any:
        """The model alone, for a loss that asks for it (:func:`disvae.losses.base.local`)."""
        return self._model

    def encode(self, *arguments: Any) -> Any:
        """The posterior of the images of all processes."""
        return _of_all(self._model.encode(*arguments))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def gather(x: Tensor) -> Tensor:
    """The rows of all processes, by rank; each has as many.

    The gradient of what a process makes of them reaches the process that they came from.
    """
    gathered: Tensor = _Gather.apply(x)
    return gathered


def _of_all(posterior: Distribution) -> Any:
    return map_parameters(gather, posterior)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total.chunk(distributed.get_world_size())[distributed.get_rank()]
