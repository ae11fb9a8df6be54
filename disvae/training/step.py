"""One training step: forward, backward, update."""

from typing import Any

from torch import Tensor

from disvae.training.average import Average
from disvae.training.log import Stopwatch
from disvae.training.update import Update

Terms = dict[str, Tensor]


class TrainingStep:
    """Takes a batch and the step's number, and updates the weights.

    Args:
        fabric: what runs the backward pass.
        players: the model and the loss as one module.
        optimizer: of both; its step is the update's.
        update: changes the weights.
        average: the averaged weights, which follow; None for none.
        watch: told where the time goes.
    """

    def __init__(
        self,
        fabric: Any,
        players: Any,
        optimizer: Any,
        update: Update,
        average: Average | None,
        watch: Stopwatch,
    ) -> None:
        self._fabric, self._players, self._optimizer = fabric, players, optimizer
        self.update, self._average, self.watch = update, average, watch

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
        loss, terms = self._players(batch, number)
        self.watch.lap("forward")
        self._optimizer.zero_grad()
        self._fabric.backward(loss)
        self.watch.lap("backward")
        updated = self.update()
        if self._average:
            self._average.update()
        self.watch.lap("update")
        return {"loss": loss.detach(), **terms, **updated}
