"""The training step as one CUDA graph: recorded once, replayed from then on."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from disvae.training.step import Terms, TrainingStep

# Work without inputs, once without effect; then what does it again, and where its results appear.
Record = Callable[[Callable[[], Terms]], tuple[Callable[[], None], Terms]]
WARM_UP = 3  # steps after which every optimiser and library has allocated what it keeps


class CapturedStep:
    """A training step that asks a GPU for its hundreds of kernels by one call.

    A network this small computes faster than Python can ask for its kernels one by one. The first
    steps are taken as they are, then one is recorded, and all that follow are replays, which
    compute the same. Taken as they are too: steps with a batch of another shape, and those that
    also estimate the terms of the KL. If a step cannot be recorded, as one that reads a number back
    from the GPU, this is said, and all are taken as they are.

    Args:
        step: the training step.
        record: how to record it.
        plain_every: every so many steps one is taken as it is; 0 for none.
        say: told if recording fails.
    """

    def __init__(
        self, step: TrainingStep, record: Record, plain_every: int, say: Callable[[str], None]
    ) -> None:
        self._step, self._record, self._say = step, record, say
        self._plain_every = plain_every
        self._taken, self._failed = 0, False
        self._replay: Callable[[], None] | None = None
        self._batch = self._number = torch.empty(0)
        self._terms: Terms = {}

    def __call__(self, batch: Any, number: int) -> Terms:
        """Take the step, and return the loss and its terms; the next replay overwrites them."""
        self._taken += 1
        due = self._plain_every > 0 and number % self._plain_every == 0
        if self._failed or due or self._taken <= WARM_UP or not isinstance(batch, Tensor):
            return self._step(batch, number)
        if self._replay is None and not self._try_to_record(batch, number):
            return self._step(batch, number)
        if batch.shape != self._batch.shape or self._replay is None:
            return self._step(batch, number)
        self._step.update.set_rates(number)
        self._batch.copy_(batch)
        self._number.fill_(number)
        self._replay()
        self._step.watch.lap("replay")
        return self._terms

    def _try_to_record(self, batch: Tensor, number: int) -> bool:
        self._batch = batch.clone()
        self._number = torch.tensor(number, device=batch.device)
        self._step.update.hold_rates_on(batch.device)
        try:
            self._replay, self._terms = self._record(
                lambda: self._step.compute(self._batch, self._number)
            )
        except RuntimeError as error:
            self._failed = True
            self._step.update.hold_rates_on(None)
            reason = str(error).splitlines()[0]
            self._say(f"this step cannot be captured ({reason}): it is taken as it is")
        return not self._failed


def cuda_graph(work: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
    """Record work on the current stream, which must not be the default one."""
    graph = torch.cuda.CUDAGraph()
    stream = torch.cuda.current_stream()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        results = work()
    return graph.replay, results
