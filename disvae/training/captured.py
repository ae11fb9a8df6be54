"""The training step as one CUDA graph: recorded once, replayed from then on."""

from collections.abc import Callable, Sequence
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
    compute the same. Taken as they are too: steps with batches of another shape, and those that
    also estimate the terms of the KL. If a step cannot be recorded, as one that reads a number back
    from the GPU, this is said, and all are taken as they are.

    Args:
        step: the training step, on a tensor or several.
        record: how to record it.
        plain_every: every so many steps one is taken as it is; 0 for none.
        say: told if recording fails.
    """

    def __init__(
        self, step: TrainingStep, record: Record, plain_every: int, say: Callable[[str], None]
    ) -> None:
        self._step, self._record, self._say = step, record, say
        self._plain_every = plain_every
        self.forget()

    def forget(self) -> None:
        """Begin anew: a recording holds the very tensors of weights, rates and randomness."""
        self._taken, self._failed = 0, False
        self._replay: Callable[[], None] | None = None
        self._last: list[torch.Size] = []
        self._batch: list[Tensor] = []
        self._number = torch.empty(0)
        self._terms: Terms = {}
        self._step.update.hold_rates_on(None)

    def __call__(self, batch: Any, number: int) -> Terms:
        """Take the step, and return the loss and its terms; the next replay overwrites them."""
        self._taken += 1
        parts = [batch] if isinstance(batch, Tensor) else batch
        due = self._plain_every > 0 and number % self._plain_every == 0
        if self._failed or due or not _are_tensors(parts):
            return self._step(batch, number)
        shapes, last = [part.shape for part in parts], self._last
        self._last = shapes
        if self._replay is None and self._taken > WARM_UP and shapes == last:
            self._try_to_record(batch, parts, number)
        if self._replay is None or shapes != [part.shape for part in self._batch]:
            return self._step(batch, number)
        self._step.update.set_rates(number)
        for mine, part in zip(self._batch, parts, strict=True):
            mine.copy_(part)
        self._number.fill_(number)
        self._replay()
        self._step.watch.lap("replay")
        return self._terms

    def _try_to_record(self, batch: Any, parts: Sequence[Tensor], number: int) -> None:
        device = parts[0].device
        self._batch = [part.clone() for part in parts]
        whole = self._batch[0] if isinstance(batch, Tensor) else tuple(self._batch)
        self._number = torch.tensor(number, device=device)
        self._step.update.hold_rates_on(device)
        try:
            self._replay, self._terms = self._record(
                lambda: self._step.compute(whole, self._number)
            )
        except Exception as error:  # whatever a loss makes of a step that is a tensor
            self._failed = True
            self._step.update.hold_rates_on(None)
            cause = error.__context__ or error  # the end of a recording that failed fails itself
            reason = (str(cause) or repr(cause)).splitlines()[0]
            self._say(f"this step cannot be captured ({reason}): it is taken as it is")


def _are_tensors(parts: Any) -> bool:
    is_sequence = isinstance(parts, (list, tuple)) and len(parts) > 0
    return is_sequence and all(isinstance(part, Tensor) for part in parts)


def cuda_graph(work: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
    """Record work on the current stream, which must not be the default one."""
    graph = torch.cuda.CUDAGraph()
    stream = torch.cuda.current_stream()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        results = work()
    return graph.replay, results
