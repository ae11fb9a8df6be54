"""The progress bar of training."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(total: int, done: int, unit: str, shown: bool) -> Any:
    """A bar that is drawn anew twice a second on a terminal, and into a file every ten seconds.

    Args:
        total: how much there is to do.
        done: how much of it is done already.
        unit: what is counted.
        shown: whether to show it at all.
    """
    often = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, initial=done, unit=unit, mininterval=often, disable=not shown)
