"""The trainer: a loop over steps that can be killed at any moment and started again."""

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from disvae.data import BatchSource, TupleSource
from disvae.divergence.estimators import make_estimator
from disvae.extras import has
from disvae.files import remove_leftovers
from disvae.losses import Decomposed, Loss
from disvae.schedules import Weight
from disvae.spec import plain
from disvae.training.captured import CapturedStep, cuda_graph
from disvae.training.conditions import Conditions
from disvae.training.log import WITHOUT_TENSORBOARD, Stopwatch
from disvae.training.memory import keep_freed_memory
from disvae.training.precision import Precision, autocast
from disvae.training.processes import launch
from disvae.training.progress import progress_bar
from disvae.training.provenance import note_start, noted_threads, provenance
from disvae.training.records import Records
from disvae.training.run import RunDirectory, described_data, description, recorded_precision
from disvae.training.settings import ELSEWHERE, check_positive, check_settings
from disvae.training.state import TrainingState
from disvae.training.step import TrainingStep
from disvae.training.stopping import StopRequest, locked
from disvae.training.trial import seconds_per_step
from disvae.training.turns import take_turns


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
        precision: "auto" for "bf16-mixed" (bfloat16 where that is safe) where the device has
            instructions for it and a short trial of this model and loss is faster so, for "32-true"
            elsewhere; a run that goes on keeps its own. Or "32-true", "tf32" (NVIDIA's
            TensorFloat-32 in matrix products), "bf16-mixed", "bf16-true", "64-true".
        threads: number of threads on the CPU. If None, OMP_NUM_THREADS, MKL_NUM_THREADS or
            ``torch.set_num_threads`` (called after ``disvae.training`` was imported) decide; where
            none of them is set, a short trial.
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
        conditions: the precision and the threads of its steps, decided when training begins.

    Raises:
        ValueError: a number out of its range, an unknown precision, one that the device does not
            have, or a device that this machine does not have.

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
        precision: Precision = "auto",
        accelerator: str = "auto",
        devices: int = 1,
        threads: int | None = None,
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
        given = dict(locals())
        self.arguments = {k: given[k] for k in given if k not in ("self", "model", "criterion")}
        check_settings(self.arguments)
        self.model, self.criterion, self.run_dir = model, criterion, run_dir
        self.progress = progress
        self._settings = {k: v for k, v in self.arguments.items() if k not in ELSEWHERE}
        self._loggers = tuple(loggers)
        self._record: dict[str, float] = {}
        self._watch = Stopwatch()
        if precision == "auto" and run_dir is not None:
            precision = recorded_precision(Path(run_dir)) or precision
        self._fabric = launch(accelerator, devices, precision)
        self._settings["devices"] = self._fabric.world_size
        alone = self._fabric.world_size == 1
        self._settings["precision"] = precision
        self.conditions = Conditions(precision, threads, self.device, alone, self._say)
        self._state = TrainingState(self._fabric, model, criterion, self._settings)
        step = TrainingStep(self._fabric, self._state, self._watch)
        self._training_step: TrainingStep | CapturedStep = step
        if fast and self.device.type == "cuda" and alone:
            self._training_step = CapturedStep(step, cuda_graph, decompose_every, self._say)

    @property
    def step(self) -> int:
        """The number of steps taken so far."""
        return self._state.step

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
        return self._state.average.module if self._state.average else None

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
            KeyboardInterrupt: so did SIGINT (Ctrl-C); where there is a run directory, all is saved.
        """
        take_turns([self], data, steps)
        return self._record

    def session(
        self,
        data: Any,
        steps: int,
        request: StopRequest,
        source: Any = None,
        peers: Sequence["Trainer"] = (),
    ) -> Generator[None, None, bool]:
        """The steps of :meth:`fit`, one for each time that the caller asks for another.

        Args:
            data: see :meth:`fit`.
            steps: see :meth:`fit`.
            request: noted by the caller; once it is received the session saves and ends.
            source: of the batches, if the caller has one for the data already.
            peers: trained beside it; what one of them has decided of its like is taken over.

        Returns:
            Whether it ended because of the request.
        """
        check_positive(steps=steps)
        self._record = {}
        if isinstance(self._training_step, CapturedStep):
            self._training_step.forget()  # what is loaded below replaces what it holds
        self._state.both.loss = self._loss(data).__call__
        source = source or self.source(data)
        with ExitStack() as stack:
            if self.run_dir is not None and self._fabric.is_global_zero:
                stack.enter_context(locked(Path(self.run_dir)))
                remove_leftovers(Path(self.run_dir))
            if self.conditions.precision == "auto":
                self.decide(lambda: source.batch(0), peers)
            run = self._open_run(data, steps)
            if self._complete(steps):
                self._say(f"nothing to do: {self.step} of {steps} steps are taken already")
                if run and self.step == steps and not run.ended:  # killed on the way to more
                    run.write_end(self._state.state_dict())
                return False
            self.decide(lambda: source.batch(0), peers)
            trial = partial(seconds_per_step, self, lambda: source.batch(0))
            keep_freed_memory()
            self._state.players.train()
            shown = self.progress and self._fabric.is_global_zero
            bar = stack.enter_context(progress_bar(steps, self.step, "step", shown))
            keep_every = self._settings["keep_every"]
            records = Records(self._fabric, self._state, run, keep_every, self._loggers)
            stack.enter_context(closing(records))
            self._watch.restart()
            while not self._complete(steps):
                seconds = self._take_step(source)
                bar.update()
                if self.conditions.reconsider(seconds, trial) and run:
                    note_start(run.path, self.step)
                records.keep_weights()
                if self._due("log_every", steps):
                    self._record = records.write_line(self._watch)
                    bar.set_postfix(loss=f"{self._record['loss']:.1f}")
                last = self._complete(steps)
                if self.run_dir and (last or self._due("checkpoint_every", steps)):
                    records.save(last)
                    records.show(source)
                if not last and request.agreed(self._fabric, self.step):
                    records.save(last=False)
                    self._say(
                        f"stopped after step {self.step}, which is saved: start again to go on"
                    )
                    return True
                yield
        return False

    def decide(
        self,
        first_batch: Callable[[], Any],
        peers: Sequence["Trainer"] = (),
        threads: int | None = None,
    ) -> None:
        """Decide the precision and the threads, unless that is done; see :meth:`session`.

        Args:
            first_batch: gives the batch of a trial, if there is to be one.
            peers: whose decisions are taken over by their like.
            threads: if given, the most to use, without a trial.
        """
        trial = partial(seconds_per_step, self, first_batch)
        alike = [peer.conditions for peer in peers if peer.kind == self.kind]
        used = noted_threads(Path(self.run_dir)) if self.run_dir is not None else None
        self.conditions.choose_threads(trial, used, alike, threads)
        self.conditions.choose_precision(trial, alike)
        if self._settings["precision"] == "auto":
            self._settings["precision"] = self.conditions.precision
            self._fabric.strategy.precision = autocast(self.conditions.precision, self.device)
        self.conditions.warn_of_emulation(trial, alike)

    @property
    def kind(self) -> tuple[Any, ...]:
        """Equal for trainers whose steps take the same time, as far as can be told."""
        names = ("precision", "accelerator", "batch_size", "threads")
        settings = (self.arguments[name] for name in names)
        return (type(self.model), type(self.criterion), *settings)

    def _due(self, every: str, steps: int) -> bool:
        return self.step % self._settings[every] == 0 or self.step == steps

    def _complete(self, steps: int) -> bool:
        return self.step >= steps or self._state.monitor.exhausted

    def _take_step(self, source: Any) -> float:
        """The training step, and its seconds: everything else is book-keeping."""
        self.conditions.apply()
        self._watch.begin()
        rank, world_size = self._fabric.global_rank, self._fabric.world_size
        torch.manual_seed(_step_seed(self._settings["seed"], self.step, rank))
        batch = self._fabric.to_device(source.batch(self.step * world_size + rank))
        self._watch.count(batch)
        self._watch.lap("batch")
        begin = time.perf_counter()
        with self.conditions.multiplying():
            self._state.means.add(self._training_step(batch, self.step))
        self._state.step += 1
        return time.perf_counter() - begin

    def source(self, data: Any, like: Any = None) -> Any:
        """Batches of the data in the order of the seed; the data itself if it gives other batches.

        Args:
            data: see :meth:`fit`.
            like: another trainer's source of the same data and device, whose table is shared.
        """
        order = self._settings["batch_size"], self._settings["seed"]
        tuples = isinstance(data, TupleSource)
        if hasattr(data, "batch") and not tuples:
            return data
        if like is not None:
            return like.reordered(*order)
        if tuples:
            return data.reordered(*order, self.device)
        return BatchSource(data, *order, self.device)

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
        self._fabric.barrier()  # the first process is about to write
        if state:
            self._state.load_state_dict(state)
            self._say(f"going on from step {self.step} of the run in {run.path}")
        elif not has("tensorboard"):
            self._say(WITHOUT_TENSORBOARD)
        return run if self._fabric.is_global_zero else None

    def _say(self, message: str) -> None:
        if self.progress and self._fabric.is_global_zero:
            print(message, file=sys.stderr)


def _step_seed(seed: int, step: int, rank: int) -> int:
    """A seed for one step of one process, unrelated to the seeds of its neighbours."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0])
