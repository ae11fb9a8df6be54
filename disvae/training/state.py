"""The state of training: all that a step changes, and so all that a checkpoint holds."""

from typing import Any

import torch
from torch import Tensor, nn

from disvae.losses import Loss
from disvae.training.average import Average
from disvae.training.log import RunningMeans, check_finite, check_weights
from disvae.training.monitor import Monitor
from disvae.training.processes import GlobalBatch
from disvae.training.update import Update


class TrainingState:
    """The weights and what goes with them, after ``step`` steps.

    Args:
        fabric: where they are.
        model: the model.
        criterion: the loss.
        settings: the trainer's.

    Attributes:
        step: the number of steps taken so far.
        both: the model and the loss as one module; ``players`` is the same set up by ``fabric``.
        optimizer: of both, set up by ``fabric``.
        update: what changes the weights.
        average: the averaged weights, or None.
        means: of the terms since the last log point.
        monitor: what the best log point was.
    """

    def __init__(
        self, fabric: Any, model: nn.Module, criterion: Loss, settings: dict[str, Any]
    ) -> None:
        self.step = 0
        self.monitor = Monitor(settings["monitor"], settings["patience"])
        # The fused update passes over memory once, the default one about ten times; that counts
        # for FactorVAE's discriminator of five million weights.
        # AdamW of no decay is Adam to the last bit; where a group has one, it is decoupled.
        lr, decay = settings["lr"], settings["ema_decay"]
        groups = criterion.parameter_groups(model, lr)
        optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=0.0, fused=True)
        self.both = Players(model, criterion, alone=fabric.world_size == 1)
        self.players, self.optimizer = fabric.setup(self.both, optimizer)
        self.average = None if decay is None else Average(model, decay)
        self.update = Update(optimizer, settings["lr_factor"], settings["max_gradient"])
        self.means = RunningMeans()
        self._fabric = fabric

    @property
    def kept(self) -> nn.Module:
        """The model whose weights are kept: with averaged weights, if there are any."""
        return self.average.module if self.average else self.both.model

    def mean_terms(self) -> dict[str, float]:
        """The means over the steps since the last log point, and over the processes."""
        means = self.means.read()
        if self._fabric.world_size > 1:
            here = torch.tensor(list(means.values()), dtype=torch.float64)
            shared: Any = self._fabric.all_reduce(here.to(self._fabric.device), reduce_op="mean")
            means = dict(zip(means, shared.tolist(), strict=True))
        return means

    def check(self) -> None:
        """Refuse a state that has diverged.

        Raises:
            FloatingPointError: a term or a weight is infinite or NaN.
        """
        check_finite(self.step, self.mean_terms())
        check_weights(self.step, self.players)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs to go on the same way.

        ``model`` is the model whose weights are kept. ``trained`` is the one that the optimizer
        changes, if that is another.
        """
        return {
            "step": self.step,
            "model": self.kept.state_dict(),
            "trained": self.both.model.state_dict() if self.average else {},
            "criterion": self.both.criterion.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "means": self.means.state_dict(),
            "monitor": self.monitor.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`."""
        self.kept.load_state_dict(state["model"])
        if self.average:
            self.both.model.load_state_dict(state["trained"])
        self.both.criterion.load_state_dict(state["criterion"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.update.hold_rates_on(None)
        self.means.load_state_dict(state["means"], self._fabric.device)
        self.monitor.load_state_dict(state["monitor"])
        self.step = state["step"]


class Players(nn.Module):
    """The model and the loss as one module, which is what distributed training wraps.

    Args:
        model: the model.
        criterion: the loss, whose networks are trained.
        alone: whether no other process trains the same.

    Attributes:
        loss: what is computed, a function: the loss itself, unless the trainer has it say more.
    """

    def __init__(self, model: nn.Module, criterion: Loss, alone: bool) -> None:
        super().__init__()
        self.alone = alone
        self.model = model
        self.criterion = criterion
        self.loss = criterion.__call__  # a function: the loss is registered only once

    def forward(self, batch: Any, step: int | Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch, and its terms."""
        model = self.model if self.alone else GlobalBatch(self.model)
        loss, terms = self.loss(model, batch, step)
        return loss, terms
