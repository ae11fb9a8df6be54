"""How many threads training on the CPU computes with."""

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from statistics import median

import torch

# PyTorch's own number, to tell whether the user has called torch.set_num_threads since.
_AT_IMPORT = torch.get_num_threads()

# So many times as long as it could be, a step must take before a run changes its threads.
SLOW = 3.0
RECENT = 10  # steps whose median is compared
HOPELESS = 2.0  # fewer threads than the ones that were so many times slower are not tried


def available_cores() -> int:
    """Count the cores that this process may keep busy.

    The affinity mask of the process and the CPU quotas of its control groups (versions 1 and 2, as
    containers have them) are respected. A quota of a part of a core is rounded down, to one core or
    more.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, int(min(cores, cpu_quota())))


def cpu_quota(root: Path = Path("/")) -> float:
    """Return the smallest CPU quota of this process's control groups, in cores.

    Args:
        root: folder of ``proc`` and ``sys``.

    Returns:
        The quota, infinity without one.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # no Linux, or no control groups
        return math.inf
    quotas = [math.inf]
    for group in groups:
        _, controllers, path = group.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        inner = PurePosixPath(path.lstrip("/"))
        # Inside a container the path can be the host's, and the files lie where it is mounted.
        quotas += [_quota(mount / folder) for folder in (inner, *inner.parents)]
    return min(quotas)


def _quota(folder: Path) -> float:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text()
        return math.inf if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def is_settled() -> bool:
    """Whether the user has chosen the number, by the environment or ``torch.set_num_threads``."""
    named = any(os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))
    return named or torch.get_num_threads() != _AT_IMPORT


def candidates(root: Path = Path("/")) -> list[int]:
    """List the numbers of threads to try, the largest first.

    They are all cores, halves of them down to one, and the performance cores of a hybrid processor.

    Args:
        root: folder of ``sys``.
    """
    most = min(torch.get_num_threads(), available_cores())
    numbers = {most >> halvings for halvings in range(most.bit_length())}
    return sorted(numbers | ({_performance_cores(root)} & set(range(1, most))), reverse=True)


def _performance_cores(root: Path) -> int:
    """Count the physical performance cores of a hybrid processor; 0 of any other."""
    listed = root / "sys/devices/cpu_core/cpus"
    if not listed.exists():
        return 0
    siblings = set()
    try:
        for part in listed.read_text().strip().split(","):
            first, _, last = part.partition("-")
            for cpu in range(int(first), int(last or first) + 1):
                topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
                siblings.add(topology.read_text())
    except (OSError, ValueError):  # a core that is switched off has no topology
        return 0
    return len(siblings)


def fastest(
    numbers: Sequence[int], seconds: Callable[[int], float], used: int | None = None
) -> int:
    """Choose a number of threads by timing steps.

    Args:
        numbers: of threads, descending. Once fewer are much slower, still fewer are not tried.
        seconds: of a step with so many threads.
        used: the number of threads that the run has used so far. It is kept, since another number
            rounds differently, unless a step takes ``SLOW`` times as long as it could.
    """
    numbers = sorted({*numbers, used or numbers[0]}, reverse=True)
    times: dict[int, float] = {}
    for number in numbers:
        times[number] = seconds(number)
        if times[number] > HOPELESS * min(times.values()) and used in (None, *times):
            break
    best = min(times, key=lambda number: times[number])
    return used if used and times[used] <= SLOW * times[best] else best


class Pace:
    """Notices when steps have become several times slower than they were.

    Two threads that wait for each other by spinning come to a standstill beside other busy
    processes, where one thread goes on at nearly half of the speed.
    """

    def __init__(self) -> None:
        self._forget(RECENT)

    def _forget(self, length: int) -> None:
        self._recent: deque[float] = deque(maxlen=length)
        self._length, self._best = length, math.inf

    def has_dropped(self, seconds: float) -> bool:
        """Add the time of a step, and tell whether the last ones were slow; if so, start over.

        Each time it waits for more steps, so that trials never take much of the time.
        """
        self._recent.append(seconds)
        self._best = min(self._best, seconds)
        dropped = len(self._recent) == self._length and median(self._recent) > SLOW * self._best
        if dropped:
            self._forget(4 * self._length)
        return dropped


@contextmanager
def kept_threads() -> Iterator[None]:
    """Give PyTorch its number of threads back in the end."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)
