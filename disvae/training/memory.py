"""The C allocator's habits, which can cost a training step on the CPU much of its time."""

import ctypes
import sys

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
# Before release 2.35 the library refuses to keep blocks of more than 32 MiB.
_LARGEST, _LARGEST_BEFORE = 2**30, 2**25


def keep_freed_memory() -> bool:
    """Let this process keep the memory that tensors free, instead of returning it every step.

    A step frees the same activations that the next one asks for again. By default the GNU C library
    hands blocks of this size back to the kernel, which clears every page anew; with the thresholds
    raised they are reused: blocks of up to 1 GiB, or of 32 MiB before its release 2.35. Only time
    is saved: the results and the peak memory are the same, but the process keeps its peak until it
    ends. It concerns all of the process, and tensors on the CPU alone. The trainer calls it; call
    it yourself before a loop of your own.

    Returns:
        Whether it took effect: False where the C library is another one.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    if not any(mallopt(_M_MMAP_THRESHOLD, size) == 1 for size in (_LARGEST, _LARGEST_BEFORE)):
        return False
    trims = mallopt(_M_TRIM_THRESHOLD, _LARGEST) == 1
    return mallopt(_M_TOP_PAD, _LARGEST // 4) == 1 and trims
