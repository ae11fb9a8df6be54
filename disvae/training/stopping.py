"""What stops training from outside: a signal, and another process in its run directory."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import torch
from filelock import FileLock, Timeout

ASK_EVERY = 10  # steps after which processes ask each other whether one was told to stop
EXIT_STATUS = 128 + signal.SIGTERM


@dataclass
class StopRequest:
    """Whether the process was asked to end.

    Attributes:
        received: SIGTERM has come, as a cluster sends it before it takes a machine away, or SIGINT.
        interrupted: it was SIGINT, from the keyboard.
    """

    received: bool = False
    interrupted: bool = False

    def end(self) -> NoReturn:
        """End as asked, once all is saved.

        Raises:
            KeyboardInterrupt: it was asked for from the keyboard.
            SystemExit: by SIGTERM.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        raise SystemExit(EXIT_STATUS)

    def agreed(self, fabric: Any, step: int) -> bool:
        """Whether to stop after a step: if any process was asked, all learn of it after the same.

        Args:
            fabric: of the processes.
            step: the number of steps taken.
        """
        if fabric.world_size > 1 and step % ASK_EVERY == 0:
            flag = torch.tensor(float(self.received), device=fabric.device)
            self.received = float(fabric.all_reduce(flag, reduce_op="sum")) > 0
            return self.received
        return self.received and fabric.world_size == 1


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Note SIGTERM and SIGINT instead of dying of them; a second SIGINT is not waited for.

    Outside of the main thread nothing can be noted.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:
        if request.interrupted and number == signal.SIGINT:
            raise KeyboardInterrupt
        request.received = True
        request.interrupted |= number == signal.SIGINT

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other trainers out of a run directory; a process that is killed keeps nobody out.

    Raises:
        ValueError: another process trains in it, or its lock is a link.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".lock"
    if file.is_symlink():
        raise ValueError(f"{file} is a link, and a lock is no link: remove it")
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"another process trains in {folder}: wait for it, or choose another run_dir "
            "(--run_dir)"
        ) from error
    try:
        yield
    finally:
        lock.release()
