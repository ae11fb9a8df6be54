"""The trainer: a loop over steps that can be killed at any moment and started again."""

import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from disvae.data import BatchSource, TupleSource
from disvae.divergence.estimators import make_estimator
from disvae.losses import Decomposed, Loss
from disvae.models import LatentModel
from disvae.schedules import Weight
from disvae.spec import plain
from disvae.training.average import Average
from disvae.training.captured import CapturedStep, cuda_graph
from disvae.training.log import Log, RunningMeans, Stopwatch, check_finite, check_weights
from disvae.training.memory import keep_freed_memory
from disvae.training.monitor import Monitor
from disvae.training.processes import GlobalBatch, launched
from disvae.training.progress import progress_bar
from disvae.training.provenance import note_start, provenance
from disvae.training.run import RunDirectory, described_data, description
from disvae.training.step import TrainingStep
from disvae.training.stopping import StopRequest, locked
from disvae.training.turns import take_turns
from disvae.training.update import Update

ASK_EVERY = 10  # steps after which processes ask each other whether one was told to stop
# "16-mixed" needs a loss scaler, whose state would have to be part of the checkpoint.
Precision = Literal["32-true", "bf16-mixed", "bf16-true", "64-true"]


class Trainer:
    """Trains a model with a loss, any loss: nothing here depends on the method.

    Every step draws its randomness from the seed and its own number, so that a run that is killed
    and started again goes on exactly as if nothing had happened: on the CPU bit for bit.

    Args:
        model: the model to train.
        criterion: the loss; it names the parameters to optimise, its own networks' included.
        lr: Adam's learning rate for the model; a loss may have another for its own networks, and
            a weight decay (AdamW's) for some of the weights.
        batch_size: images per step (and per device).
        seed: source of all randomness of training: order of the images, draws of the codes. The
            initial weights are the caller's; the command line draws them with this seed too.
        run_dir: folder for the configuration, log, checkpoint and weights. If it holds this run
            already, training goes on from its checkpoint. Nothing is written if None.
        precision: "32-true", "bf16-mixed" (bfloat16 where that is safe), "bf16-true" or "64-true".
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: number of devices; each takes batches of its own, and the loss sees the codes of
            all (:class:`disvae.training.processes.GlobalBatch`). ``torchrun`` decides instead if it
            started the processes.
        log_every: steps between two lines of the log, each the mean of the terms since the last.
        checkpoint_every: steps between two checkpoints: what a killed run loses at most.
        keep_every: steps between two models whose weights are kept for good, from the untrained one
            on, as ``weights/step-*.safetensors``: for pictures of training. 0 for none.
        decompose_every: steps between two estimates of the three terms of the KL, which are then
            logged for every loss alike (see :class:`disvae.losses.Decomposed`); 0 for none.
        estimator: what estimates them: "jackknife", "mss" or "mws".
        lr_factor: multiplies all learning rates; a schedule for warm-up or decay.
        max_gradient: bound on the norm of the gradient, of the model and of the loss's own networks
            apart; larger ones are scaled down, and ``gradient_norm`` is logged. None for no bound.
        ema_decay: keep an exponential moving average of the model's weights, such as 0.999, as
            :attr:`averaged`; it is what ``model.safetensors`` holds in the end. None for none.
        monitor: a quantity of the log, such as "objective"; ``-elbo`` for one that is to rise. The
            weights at the log point where it is lowest are kept as ``best.safetensors``.
        patience: end training after so many log points without a new lowest; never if None.
        fast: on a GPU, capture the step as a CUDA graph once and replay it, which computes the same
            without the time that Python takes to ask for it.
        loggers: of Lightning Fabric, such as its ``CSVLogger`` or Lightning's ``WandbLogger``; each
            gets every line of the log.
        progress: show a progress bar.

    Attributes:
        model, criterion: as given, and trained.
        arguments: all other arguments, as given.
        averaged: the model with averaged weights, or None.
        step: the number of steps taken so far.

    Raises:
        ValueError: a number out of its range, an unknown precision, or a device that this machine
            does not have.

    Example:
        >>> trainer = Trainer(model, VAELoss(), batch_size=64)  # doctest: +SKIP
        >>> trainer.fit(Sprites(), steps=10_000)  # doctest: +SKIP
    """

    def __init__(
        self,
        model: nn.Module,
        criterion: Loss,
        lr: float = 1e-4,
        batch_size: int = 64,
        seed: int = 0,
        run_dir: str | Path | None = None,
        precision: Precision = "32-true",
        accelerator: str = "auto",
        devices: int = 1,
        log_every: int = 100,
        checkpoint_every: int = 1000,
        keep_every: int = 0,
        decompose_every: int = 0,
        estimator: str = "jackknife",
        lr_factor: Weight = 1.0,
        max_gradient: float | None = None,
        ema_decay: float | None = None,
        monitor: str | None = None,
        patience: int | None = None,
        fast: bool = True,
        loggers: Sequence[Any] = (),
        progress: bool = True,
    ) -> None:
        from lightning_fabric import Fabric

        _check_positive(
            lr=lr,
            batch_size=batch_size,
            devices=devices,
            log_every=log_every,
            checkpoint_every=checkpoint_every,
        )
        if max_gradient is not None:
            _check_positive(max_gradient=max_gradient)
        if precision not in get_args(Precision):
            raise ValueError(f"precision must be in {get_args(Precision)}, got {precision!r}")
        may_be_0 = {"seed": seed, "keep_every": keep_every, "decompose_every": decompose_every}
        for name, number in may_be_0.items():
            if number < 0:
                raise ValueError(f"{name} must not be negative, got {number}")
        make_estimator(estimator, 1)  # refuses an unknown name before any work
        self._monitor = Monitor(monitor, patience)
        self.model, self.criterion, self.run_dir = model, criterion, run_dir
        self.step = 0
        self._batch_size, self._seed = batch_size, seed
        self._log_every, self._checkpoint_every = log_every, checkpoint_every
        self.progress = progress
        self.arguments: dict[str, Any] = {
            "lr": lr,
            "batch_size": batch_size,
            "seed": seed,
            "run_dir": run_dir,
            "precision": precision,
            "accelerator": accelerator,
            "devices": devices,
            "log_every": log_every,
            "checkpoint_every": checkpoint_every,
            "keep_every": keep_every,
            "decompose_every": decompose_every,
            "estimator": estimator,
            "lr_factor": lr_factor,
            "max_gradient": max_gradient,
            "ema_decay": ema_decay,
            "monitor": monitor,
            "patience": patience,
            "fast": fast,
            "loggers": loggers,
            "progress": progress,
        }
        elsewhere = ("run_dir", "loggers", "progress")  # not part of what is computed
        self._settings = {k: v for k, v in self.arguments.items() if k not in elsewhere}
        self._loggers = tuple(loggers)
        self._record: dict[str, float] = {}
        self._means, self._watch = RunningMeans(), Stopwatch()
        machine, machines = launched() or (devices, 1)
        self._settings["devices"] = machine * machines
        try:
            self._fabric = Fabric(
                accelerator=accelerator,
                devices=machine,
                num_nodes=machines,
                precision=precision,
            )
        except RuntimeError as error:  # no such device here
            raise ValueError(f"accelerator={accelerator!r}, devices={devices}: {error}") from error
        self._fabric.launch()
        # The fused update passes over memory once, the default one about ten times; that counts
        # for FactorVAE's discriminator of five million weights.
        # AdamW of no decay is Adam to the last bit; where a group has one, it is decoupled.
        groups = criterion.parameter_groups(model, lr)
        optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=0.0, fused=True)
        self._both = _Players(model, criterion, alone=self._fabric.world_size == 1)
        self._players, self._optimizer = self._fabric.setup(self._both, optimizer)
        self._average = None if ema_decay is None else Average(model, ema_decay)
        self._update = Update(optimizer, lr_factor, max_gradient)
        step = TrainingStep(
            self._fabric,
            self._players,
            self._optimizer,
            self._update,
            self._average,
            self._watch,
        )
        self._training_step: TrainingStep | CapturedStep = step
        if fast and self._fabric.device.type == "cuda" and self._fabric.world_size == 1:
            self._training_step = CapturedStep(step, cuda_graph, decompose_every, self._say)

    @property
    def device(self) -> torch.device:
        """Where it trains."""
        return self._fabric.device

    @property
    def captures(self) -> bool:
        """Whether its steps are recorded, which needs a stream of their own."""
        return isinstance(self._training_step, CapturedStep)

    @property
    def averaged(self) -> nn.Module | None:
        """The model with averaged weights, if ``ema_decay`` asks for them."""
        return self._average.module if self._average else None

    def fit(self, data: Any, steps: int = 10_000) -> dict[str, float]:
        """Train until ``steps`` steps have been taken in all, those of earlier calls included.

        Args:
            data: a data set; or pairs and the like of its images, such as
                :class:`disvae.data.FactorPairs`, with the trainer's batch size and seed; or any
                object whose ``batch(step)`` is the batch of a step.
            steps: total number of training steps (updates of the weights, not epochs).

        Returns:
            The last line of the log: the mean of every term since the line before it, in nats per
            image, and what the machine did meanwhile (:data:`disvae.training.log.MEASURED`). Empty
            if the run had all its steps already.

        Raises:
            FloatingPointError: a term or a weight is no longer finite.
            ValueError: the run directory holds another run, or damaged checkpoints, or another
                process trains in it; or ``monitor`` names what the log does not have.
            OSError: a file cannot be written; the last checkpoint is intact.
            SystemExit: SIGTERM came, and the state after the last step is saved.
        """
        take_turns([self], data, steps)
        return self._record

    def session(
        self, data: Any, steps: int, request: StopRequest, source: Any = None
    ) -> Generator[None, None, bool]:
        """The steps of :meth:`fit`, one for each time that the caller asks for another.

        Args:
            data: see :meth:`fit`.
            steps: see :meth:`fit`.
            request: noted by the caller; once it is received the session saves and ends.
            source: of the batches, if the caller has one for the data already.

        Returns:
            Whether it ended because of the request.
        """
        _check_positive(steps=steps)
        self._record = {}
        if isinstance(self._training_step, CapturedStep):
            self._training_step.forget()  # what is loaded below replaces what it holds
        self._both.loss = self._loss(data).__call__
        source = source or self.source(data)
        with ExitStack() as stack:
            if self.run_dir is not None and self._fabric.is_global_zero:
                stack.enter_context(locked(Path(self.run_dir)))
            run = self._open_run(data, steps)
            if self._complete(steps):
                self._say(f"nothing to do: {self.step} of {steps} steps are taken already")
                return False
            keep_freed_memory()
            self._players.train()
            bar = stack.enter_context(self._bar(steps))
            if run:
                run.remove_results()
                note_start(run.path, self.step)
                self._keep_weights(run)
            log = stack.enter_context(closing(Log(run.path, self.step))) if run else None
            self._watch.restart()
            while not self._complete(steps):
                self._take_step(source)
                bar.update()
                self._keep_weights(run)
                last = self.step == steps
                if self.step % self._log_every == 0 or last:
                    self._write_record(log, run, bar)
                    last = self._complete(steps)
                if self.run_dir and (self.step % self._checkpoint_every == 0 or last):
                    self._save(run, last)
                    self._show(log, source)
                if not last and self._must_stop(request):
                    self._save(run, last=False)
                    self._say(
                        f"stopped by SIGTERM after step {self.step}, which is saved: start again "
                        "to go on"
                    )
                    return True
                yield
        return False

    def _complete(self, steps: int) -> bool:
        return self.step >= steps or self._monitor.exhausted

    def _must_stop(self, request: StopRequest) -> bool:
        """Whether any process was asked to end; all of them learn of it after the same step."""
        if self._fabric.world_size > 1 and self.step % ASK_EVERY == 0:
            flag = torch.tensor(float(request.received), device=self._fabric.device)
            total: Any = self._fabric.all_reduce(flag, reduce_op="sum")
            request.received = float(total) > 0
            return request.received
        return request.received and self._fabric.world_size == 1

    def _take_step(self, source: Any) -> None:
        """The training step: everything else is book-keeping."""
        self._watch.begin()
        rank, world_size = self._fabric.global_rank, self._fabric.world_size
        torch.manual_seed(_step_seed(self._seed, self.step, rank))
        batch = self._fabric.to_device(source.batch(self.step * world_size + rank))
        self._watch.lap("batch")
        self._means.add(self._training_step(batch, self.step))
        self.step += 1

    def source(self, data: Any, like: Any = None) -> Any:
        """Batches of the data in the order of the seed; the data itself if it gives other batches.

        Args:
            data: see :meth:`fit`.
            like: another trainer's source of the same data and device, whose table is shared.
        """
        tuples = isinstance(data, TupleSource)
        if hasattr(data, "batch") and not tuples:
            return data
        if like is not None:
            return like.reordered(self._batch_size, self._seed)
        if tuples:
            return data.reordered(self._batch_size, self._seed, self._fabric.device)
        return BatchSource(data, self._batch_size, self._seed, self._fabric.device)

    def _loss(self, data: Any) -> Loss:
        """The loss, with the terms of the KL beside its own if they are to be logged."""
        every, name = self._settings["decompose_every"], self._settings["estimator"]
        if every == 0:
            return self.criterion
        if not hasattr(data, "__len__"):
            raise ValueError(
                f"decompose_every={every} needs the number of training images, but a "
                f"{type(data).__name__} has no len(): give it one, or set decompose_every=0"
            )
        return Decomposed(self.criterion, make_estimator(name, len(data)), every)

    def _write_record(self, log: Log | None, run: RunDirectory | None, bar: Any) -> None:
        """The means since the last log point and the speed since then, and a new beginning."""
        record = self._global_means()
        check_finite(self.step, record)
        images = self._batch_size * self._fabric.world_size
        record |= self._watch.read(images, self._fabric.device)
        self._means.reset()
        self._record = record
        bar.set_postfix(loss=f"{record['loss']:.1f}")
        if self._monitor.is_best(record) and run:
            check_weights(self.step, self._kept())
            run.write_best(self._kept(), self.step, record)
        if log:
            log.write(self.step, record)
        if self._fabric.is_global_zero:
            for logger in self._loggers:
                logger.log_metrics(record, step=self.step)

    def _kept(self) -> nn.Module:
        """The model whose weights are kept."""
        return self.averaged or self.model

    def _keep_weights(self, run: RunDirectory | None) -> None:
        """Keep the model for good if it is its turn; a run that goes on writes the same again."""
        every = self._settings["keep_every"]
        if run and every and self.step % every == 0:
            run.write_kept(self._kept(), self.step)

    def _show(self, log: Log | None, source: Any) -> None:
        """Pictures of what the model makes of the first images, and of their codes."""
        model = self._kept()
        if log and isinstance(model, LatentModel) and isinstance(source, BatchSource | TupleSource):
            batch = source.batch(0)
            x = batch if isinstance(batch, Tensor) else batch[0]
            log.show(self.step, model, self._fabric.to_device(x))

    def _global_means(self) -> dict[str, float]:
        """The means over the steps since the last log point, and over the processes."""
        means = self._means.read()
        if self._fabric.world_size > 1:
            here = torch.tensor(list(means.values()), dtype=torch.float64)
            shared: Any = self._fabric.all_reduce(here.to(self._fabric.device), reduce_op="mean")
            means = dict(zip(means, shared.tolist(), strict=True))
        return means

    def _save(self, run: RunDirectory | None, last: bool) -> None:
        """Write the state of training; processes that do not write check it all the same."""
        check_finite(self.step, self._global_means())
        check_weights(self.step, self._players)
        if run is None:
            return
        if last:  # before the checkpoint, which says that the run is complete
            run.write_weights(self._kept(), self.criterion)
        run.write_checkpoint(
            {
                "step": self.step,
                "players": self._players.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "means": self._means.state_dict(),
                "monitor": self._monitor.state_dict(),
                "average": self._average.module.state_dict() if self._average else {},
            }
        )

    def _open_run(self, data: Any, steps: int) -> RunDirectory | None:
        """Go on from the checkpoint if there is one; the first process alone gets to write."""
        if self.run_dir is None:
            return None
        config = {
            "model": description(self.model),
            "loss": description(self.criterion),
            **described_data(data),
            **plain(self._settings),
            "steps": steps,
            "provenance": provenance(),
        }
        with self._fabric.rank_zero_first():
            run = RunDirectory(Path(self.run_dir), config)
        state = run.read_checkpoint(self._say)
        if state:
            self._players.load_state_dict(state["players"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._update.hold_rates_on(None)
            self._means.load_state_dict(state["means"], self._fabric.device)
            self._monitor.load_state_dict(state["monitor"])
            if self._average:
                self._average.module.load_state_dict(state["average"])
            self.step = state["step"]
            self._say(f"going on from step {self.step} of the run in {run.path}")
        return run if self._fabric.is_global_zero else None

    def _bar(self, steps: int) -> Any:
        shown = self.progress and self._fabric.is_global_zero
        return progress_bar(steps, self.step, "step", shown)

    def _say(self, message: str) -> None:
        if self.progress and self._fabric.is_global_zero:
            print(message, file=sys.stderr)


class _Players(nn.Module):
    """The model and the loss as one module, which is what distributed training wraps."""

    def __init__(self, model: nn.Module, criterion: Loss, alone: bool) -> None:
        super().__init__()
        self.alone = alone
        self.model = model
        self.criterion = criterion
        self.loss = criterion.__call__  # a function: the loss is registered only once

    def forward(self, batch: Any, step: int | Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        model = self.model if self.alone else GlobalBatch(self.model)
        loss, terms = self.loss(model, batch, step)
        return loss, terms


def _step_seed(seed: int, step: int, rank: int) -> int:
    """A seed for one step of one process, unrelated to the seeds of its neighbours."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0])


def _check_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} must be positive, got {number}")
