"""The trainer: a loop over steps that can be killed at any moment and started again."""

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.random import fork_rng
from tqdm import tqdm

import disvae
from disvae.data import BatchSource
from disvae.divergence.estimators import make_estimator
from disvae.losses import Decomposed, Loss
from disvae.schedules import Weight
from disvae.spec import plain
from disvae.training.log import Log, RunningMeans, check_finite, check_weights
from disvae.training.memory import keep_freed_memory
from disvae.training.processes import GlobalBatch, launched
from disvae.training.provenance import note_start
from disvae.training.run import RunDirectory, description
from disvae.training.stopping import EXIT_STATUS, StopRequest, locked, stop_requests
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
        lr: Adam's learning rate for the model; a loss may have another for its own networks.
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
        decompose_every: steps between two estimates of the three terms of the KL, which are then
            logged for every loss alike (see :class:`disvae.losses.Decomposed`); 0 for none.
        estimator: what estimates them: "jackknife", "mss" or "mws".
        lr_factor: multiplies all learning rates; a schedule for warm-up or decay.
        max_gradient: bound on the norm of the gradient, of the model and of the loss's own networks
            apart; larger ones are scaled down, and ``gradient_norm`` is logged. None for no bound.
        progress: show a progress bar.

    Raises:
        ValueError: a number that is not positive, an unknown precision, or a device that this
            machine does not have.

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
        decompose_every: int = 0,
        estimator: str = "jackknife",
        lr_factor: Weight = 1.0,
        max_gradient: float | None = None,
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
        for name, number in {"seed": seed, "decompose_every": decompose_every}.items():
            if number < 0:
                raise ValueError(f"{name} must not be negative, got {number}")
        make_estimator(estimator, 1)  # refuses an unknown name before any work
        self.model, self.criterion = model, criterion
        self.step = 0
        self._batch_size, self._seed = batch_size, seed
        self._log_every, self._checkpoint_every = log_every, checkpoint_every
        self._run_dir, self._progress = run_dir, progress
        self._settings: dict[str, Any] = {
            "lr": lr,
            "batch_size": batch_size,
            "seed": seed,
            "precision": precision,
            "accelerator": accelerator,
            "devices": devices,
            "log_every": log_every,
            "checkpoint_every": checkpoint_every,
            "decompose_every": decompose_every,
            "estimator": estimator,
            "lr_factor": lr_factor,
            "max_gradient": max_gradient,
        }
        self._means = RunningMeans()
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
        optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr), lr=lr, fused=True)
        self._update = Update(optimizer, lr_factor, max_gradient)
        self._both = _Players(model, criterion, alone=self._fabric.world_size == 1)
        self._players, self._optimizer = self._fabric.setup(self._both, optimizer)

    def fit(self, data: Any, steps: int = 10_000) -> dict[str, float]:
        """Train until ``steps`` steps have been taken in all, those of earlier calls included.

        Args:
            data: a data set, or any object whose ``batch(step)`` is the batch of a step.
            steps: total number of training steps (updates of the weights, not epochs).

        Returns:
            The last line of the log: the mean of every term since the line before it, in nats per
            image, and ``images_per_second``. Empty if the run had all its steps already.

        Raises:
            FloatingPointError: a term or a weight is no longer finite.
            ValueError: the run directory holds another run, or damaged checkpoints, or another
                process trains in it.
            OSError: a file cannot be written; the last checkpoint is intact.
            SystemExit: SIGTERM came, and the state after the last step is saved.
        """
        _check_positive(steps=steps)
        self._both.loss = self._loss(data).__call__
        source = data if hasattr(data, "batch") else self._source(data)
        with ExitStack() as stack:
            if self._run_dir is not None and self._fabric.is_global_zero:
                stack.enter_context(locked(Path(self._run_dir)))
            run = self._open_run(data, steps)
            record: dict[str, float] = {}
            if self.step >= steps:
                self._say(f"nothing to do: {self.step} of {steps} steps are taken already")
                return record
            keep_freed_memory()
            self._players.train()
            device = self._fabric.device
            request = StopRequest()
            if self._run_dir is not None:
                request = stack.enter_context(stop_requests())
            # Each step seeds the global generator: the caller gets it back as it was.
            stack.enter_context(fork_rng([device] if device.type == "cuda" else []))
            bar = stack.enter_context(self._bar(steps))
            if run:
                run.remove_results()
                note_start(run.path, self.step)
            log = stack.enter_context(closing(Log(run.path, self.step))) if run else None
            self._means.restart_clock()
            while self.step < steps:
                self._take_step(source)
                bar.update()
                last = self.step == steps
                if self.step % self._log_every == 0 or last:
                    record = self._read_means()
                    bar.set_postfix(loss=f"{record['loss']:.1f}")
                    if log:
                        log.write(self.step, record)
                if self._run_dir and (self.step % self._checkpoint_every == 0 or last):
                    self._save(run, last)
                if not last and self._must_stop(request):
                    self._stop(run)
        return record

    def _must_stop(self, request: StopRequest) -> bool:
        """Whether any process was asked to end; all of them learn of it after the same step."""
        if self._fabric.world_size == 1:
            return request.received
        if self.step % ASK_EVERY:
            return False
        flag = torch.tensor(float(request.received), device=self._fabric.device)
        total: Any = self._fabric.all_reduce(flag, reduce_op="sum")
        return float(total) > 0

    def _stop(self, run: RunDirectory | None) -> None:
        """Save, and end the process as SIGTERM asks for."""
        self._save(run, last=False)
        self._say(
            f"stopped by SIGTERM after step {self.step}, which is saved: start again to go on"
        )
        raise SystemExit(EXIT_STATUS)

    def _take_step(self, source: Any) -> None:
        """The training step: everything else is book-keeping."""
        rank, world_size = self._fabric.global_rank, self._fabric.world_size
        torch.manual_seed(_step_seed(self._seed, self.step, rank))
        batch = self._fabric.to_device(source.batch(self.step * world_size + rank))
        loss, terms = self._players(batch, self.step)
        self._optimizer.zero_grad()
        self._fabric.backward(loss)
        updated = self._update(self.step)
        self._means.add({"loss": loss.detach(), **terms, **updated})
        self.step += 1

    def _source(self, data: Any) -> BatchSource:
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

    def _read_means(self) -> dict[str, float]:
        """The means since the last log point, the speed since then, and a new beginning."""
        record = self._global_means()
        check_finite(self.step, record)
        images = self._batch_size * self._fabric.world_size
        record["images_per_second"] = images * self._means.steps_per_second()
        self._means.reset()
        return record

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
            run.write_weights(self.model, self.criterion)
        run.write_checkpoint(
            {
                "step": self.step,
                "players": self._players.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "means": self._means.state_dict(),
            }
        )

    def _open_run(self, data: Any, steps: int) -> RunDirectory | None:
        """Go on from the checkpoint if there is one; the first process alone gets to write."""
        if self._run_dir is None:
            return None
        config = {
            "model": description(self.model),
            "loss": description(self.criterion),
            "data": description(data),
            **plain(self._settings),
            "steps": steps,
            "versions": {"disvae": disvae.__version__, "torch": str(torch.__version__)},
        }
        with self._fabric.rank_zero_first():
            run = RunDirectory(Path(self._run_dir), config)
        state = run.read_checkpoint(self._say)
        if state:
            self._players.load_state_dict(state["players"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._means.load_state_dict(state["means"], self._fabric.device)
            self.step = state["step"]
            self._say(f"going on from step {self.step} of the run in {run.path}")
        return run if self._fabric.is_global_zero else None

    def _bar(self, steps: int) -> Any:
        return tqdm(
            total=steps,
            initial=self.step,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 10.0,
            disable=not (self._progress and self._fabric.is_global_zero),
        )

    def _say(self, message: str) -> None:
        if self._progress and self._fabric.is_global_zero:
            print(message, file=sys.stderr)


class _Players(nn.Module):
    """The model and the loss as one module, which is what distributed training wraps."""

    def __init__(self, model: nn.Module, criterion: Loss, alone: bool) -> None:
        super().__init__()
        self.alone = alone
        self.model = model
        self.criterion = criterion
        self.loss = criterion.__call__  # a function: the loss is registered only once

    def forward(self, batch: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
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
