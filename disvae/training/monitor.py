"""Which moment of training was the best, and when to stop waiting for a better one."""

import math
from typing import Any

from disvae.training.log import MEASURED


class Monitor:
    """Follows one quantity of the log.

    Args:
        name: the quantity, whose lowest value is the best; with a "-" before it the highest. None
            for no quantity: nothing is ever best or over.
        patience: log points without a best one after which training is over; never if None.

    Raises:
        ValueError: ``patience`` without ``name`` or below 1, or a name that is not the loss's.
    """

    def __init__(self, name: str | None, patience: int | None) -> None:
        if patience is not None and (name is None or patience < 1):
            raise ValueError(
                f"patience must be at least 1, and needs monitor, got {patience} and {name!r}"
            )
        self._name = (name or "").removeprefix("-")
        if self._name in MEASURED:
            raise ValueError(f"monitor {name!r} is a matter of the machine, not of the model")
        self._sign = -1.0 if name and name.startswith("-") else 1.0
        self._patience = math.inf if patience is None else patience
        self._best, self._waited = math.inf, 0

    @property
    def exhausted(self) -> bool:
        """Whether there was no best log point for too long."""
        return self._waited >= self._patience

    def is_best(self, record: dict[str, float]) -> bool:
        """Whether a log point is better than all before it.

        Raises:
            ValueError: the first one does not have the quantity.
        """
        if not self._name:
            return False
        if self._name not in record:
            if math.isfinite(self._best):  # a quantity of some steps only
                return False
            known = ", ".join(name for name in record if name not in MEASURED)
            raise ValueError(f"the log has no {self._name!r} to monitor; it has {known}")
        value = self._sign * record[self._name]
        better = value < self._best
        self._best = min(value, self._best)
        self._waited = 0 if better else self._waited + 1
        return better

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to go on the same way."""
        return {"best": self._best, "waited": self._waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`."""
        self._best, self._waited = state["best"], state["waited"]
