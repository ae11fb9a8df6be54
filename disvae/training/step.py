"""One training step: forward, backward, update."""

from typing import Any

from torch import Tensor

from disvae.training.log import Stopwatch
from disvae.training.state import TrainingState
from disvae.training.update import Update

Terms = dict[str, Tensor]


class TrainingStep:
    """Takes a batch and the step's number, and updates the weights.

    Args:
        fabric: what runs the backward pass.
        state: what a step changes.
        watch: told where the time goes.
    """

    def __init__(self, fabric: Any, state: TrainingState, watch: Stopwatch) -> None:
        self._fabric, self._state, self.watch = fabric, state, watch

    @property
    def update(self) -> Update:
        """What changes the weights."""
        return self._state.update

    def __call__(self, batch: Any, number: int) -> Terms:
        """Take the step, and return the loss and its terms, detached."""
        self.update.set_rates(number)
        return self.compute(batch, number)

    def compute(self, batch: Any, number: int | Tensor) -> Terms:
        """What is left once the learning rates are set: it asks nothing of the host.

        Args:
            batch: what the loss takes.
            number: the step, for schedules; a tensor if this is being recorded.
        """
        state = self._state
        loss, terms = state.players(batch, number)
        self.watch.lap("forward")
        state.optimizer.zero_grad()
        self._fabric.backward(loss)
        self.watch.lap("backward")
        updated = state.update()
        if state.average:
            state.average.update()
        self.watch.lap("update")
        return {"loss": loss.detach(), **terms, **updated}
