"""What a trainer finds out about the machine: the precision and the threads of its steps."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch

from disvae.training.precision import (
    Precision,
    faster_precision,
    multiplying_in,
    warn_of_emulation,
)
from disvae.training.threads import Pace, candidates, fastest, is_settled

# Time of a training step in a precision and with so many threads; infinity if it fails.
Seconds = Callable[[Precision, int | None], float]


class Conditions:
    """Precision and number of threads of a run, each decided once.

    Args:
        precision: "auto" if it is to be decided.
        threads: None if they are to be decided.
        device: of training.
        alone: whether no other process trains the same; several decide without a trial, since
            they must agree.
        say: told each decision.

    Attributes:
        precision: as decided.
        threads: as decided, None to leave them as PyTorch has them.
        tries: whether trials may be made.
    """

    def __init__(
        self,
        precision: Precision,
        threads: int | None,
        device: torch.device,
        alone: bool,
        say: Callable[[str], None],
    ) -> None:
        self.precision, self.threads, self.tries = precision, threads, alone
        self._device, self._say = device, say
        self._numbers: list[int] = []
        self._pace: Pace | None = None
        self._warned = False

    def meet_machine(self) -> None:
        """Note what may be decided, before any trainer beside this one changes the threads."""
        if self.threads is None:
            free = self.tries and self._device.type == "cpu" and not is_settled()
            self._numbers = candidates() if free else []

    def choose_threads(
        self,
        seconds: Seconds,
        used: int | None = None,
        peers: Sequence["Conditions"] = (),
        most: int | None = None,
    ) -> None:
        """Choose the number of threads, unless the user has.

        Args:
            seconds: of a step.
            used: the number that the run has used so far, kept if the machine has so many cores.
            peers: of runs alike, one of which may have chosen already.
            most: if given, the share of the machine that this run gets, all of which it uses.
        """
        numbers = self._numbers
        if most and self.threads is None:
            self.threads = min(most, used or most)
        elif numbers and self.threads is None:
            kept = used if used and used <= numbers[0] else None
            chosen = [peer.threads for peer in peers if peer.threads]
            if len(numbers) == 1:
                self.threads = 1
            elif chosen and not kept:
                self.threads = chosen[0]
            else:
                precision: Precision = "32-true" if self.precision == "auto" else self.precision
                self.threads = fastest(numbers, lambda n: seconds(precision, n), kept)
                self._say(f"threads: {self.threads}, the fastest of 1 to {numbers[0]} here")
            self._pace = Pace() if self.threads > 1 else None
        self.apply()

    def choose_precision(self, seconds: Seconds, peers: Sequence["Conditions"] = ()) -> None:
        """Choose between float32 and bfloat16, if that is left to choose.

        Args:
            seconds: of a step.
            peers: of runs alike, one of which may have chosen already.
        """
        if self.precision != "auto":
            return
        chosen = [peer.precision for peer in peers if peer.precision != "auto"]
        if chosen:
            self.precision = chosen[0]
            return
        reason = "several processes make no trial"
        self.precision = "32-true"
        if self.tries:
            self.precision, reason = faster_precision(
                self._device, lambda precision: seconds(precision, self.threads)
            )
        self._say(f"precision: {self.precision} ({reason})")
        self._warned = True

    def warn_of_emulation(self, seconds: Seconds, peers: Sequence["Conditions"] = ()) -> None:
        """Warn if the precision is emulated, once for this run and its peers.

        Args:
            seconds: of a step.
            peers: of runs alike.
        """
        warned = any(each._warned for each in (self, *peers))
        self._warned = True
        if self.tries and not warned:
            warn_of_emulation(
                self.precision, self._device, lambda precision: seconds(precision, self.threads)
            )

    def apply(self) -> None:
        """Have PyTorch compute with these threads; setting them costs time even if unchanged."""
        if self.threads and self.threads != torch.get_num_threads():
            torch.set_num_threads(self.threads)

    def multiplying(self) -> AbstractContextManager[None]:
        """Return the context of a step."""
        return multiplying_in(self.precision) if self._device.type == "cuda" else nullcontext()

    def reconsider(self, step_seconds: float, seconds: Seconds) -> bool:
        """Choose the threads anew if steps have become several times slower.

        Args:
            step_seconds: of the last step.
            seconds: of a step, by a trial.

        Returns:
            Whether the number has changed.
        """
        if self._pace is None or not self._pace.has_dropped(step_seconds):
            return False
        before = self.threads
        self.threads = fastest(self._numbers, lambda n: seconds(self.precision, n), before)
        self.apply()
        if self.threads == before:
            return False
        self._say(f"steps became slow: threads: {self.threads}, they were {before}")
        return True
