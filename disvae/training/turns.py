"""Several trainers on one device: a step each, in turns, which on a GPU run at the same time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch.random import fork_rng

from disvae.training.stopping import StopRequest, stop_requests
from disvae.training.threads import kept_threads

if TYPE_CHECKING:
    from disvae.training.trainer import Trainer


def take_turns(trainers: Sequence["Trainer"], data: Any, steps: int) -> None:
    """Train all of them; see :meth:`disvae.Trainer.fit`.

    On a GPU each has a stream and a random state of its own, so that the GPU works on the steps of
    all at once, and each run is what it would be alone.

    Raises:
        RuntimeError: some of several failed; the others are trained to the end first.
        SystemExit: SIGTERM came; all are saved. KeyboardInterrupt: so did SIGINT.
    """
    device = trainers[0].device
    failures: list[Exception] = []
    stopped = False
    with ExitStack() as stack:
        request = StopRequest()
        if any(trainer.run_dir is not None for trainer in trainers):
            request = stack.enter_context(stop_requests())
        # Each step seeds the global generator: the caller gets it back as it was.
        stack.enter_context(fork_rng([device] if device.type == "cuda" else []))
        stack.enter_context(kept_threads())
        streams = device.type == "cuda" and any(trainer.captures for trainer in trainers)
        lanes = _lanes(device, len(trainers), stack) if streams else None
        source = None
        turns = []
        for i, trainer in enumerate(trainers):
            source = trainer.source(data, like=source)
            trainer.conditions.meet_machine()
            session = trainer.session(data, steps, request, source, trainers)
            stack.callback(session.close)
            turns.append((session, lanes[i] if lanes else None))
        while turns:
            going = []
            for session, lane in turns:
                try:
                    with lane.entered() if lane else nullcontext():
                        next(session)
                    going.append((session, lane))
                except StopIteration as end:
                    stopped |= bool(end.value)
                except Exception as error:  # the others are another matter
                    failures.append(error)
            turns = going
    if failures:
        raise failures[0] if len(trainers) == 1 else RuntimeError(_all(failures, len(trainers)))
    if stopped:
        request.end()


def _all(failures: Sequence[Exception], n: int) -> str:
    return f"{len(failures)} of {n} runs failed: " + "; ".join(map(str, failures))


class _Lane:
    """A stream of a GPU, and a random state that its recorded steps keep to."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)
        self._stream.wait_stream(torch.cuda.current_stream(device))
        self._generator = _generator(device)
        self._state = self._generator.clone_state()

    @contextmanager
    def entered(self) -> Iterator[None]:
        # A recorded step reads its seed from memory that belongs to the random state: two at a time
        # on one state would read each other's.
        self._generator.graphsafe_set_state(self._state)
        with torch.cuda.stream(self._stream):
            yield

    def join(self) -> None:
        torch.cuda.current_stream(self._stream.device).wait_stream(self._stream)


def _lanes(device: torch.device, n: int, stack: ExitStack) -> list[_Lane]:
    generator = _generator(device)
    stack.callback(generator.graphsafe_set_state, generator.graphsafe_get_state())
    lanes = [_Lane(device) for _ in range(n)]
    for lane in lanes:
        stack.callback(lane.join)
    return lanes


def _generator(device: torch.device) -> torch.Generator:
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]
