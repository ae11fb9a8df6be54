"""Many runs at once on one machine: several seeds, several weights of a loss."""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from disvae.training.progress import progress_bar
from disvae.training.run import Run, load_run
from disvae.training.stopping import stop_requests
from disvae.training.threads import available_cores, is_settled, kept_threads
from disvae.training.trainer import Trainer
from disvae.training.turns import take_turns

POLL = 0.1  # seconds


def train_ensemble(
    trainers: Sequence[Trainer],
    data: Any,
    steps: int = 10_000,
    workers: int | None = None,
    progress: bool = True,
) -> list[Run]:
    """Train several runs at once, each of which comes out as if trained alone.

    On a GPU all are in one process: each has its step captured, on a stream of its own, and the GPU
    works on them at the same time. On the CPU each is in a process of its own with its share of the
    cores, since a network this small leaves most of many cores idle: ``workers`` of them at a time.
    With one worker they take turns in this process. ``precision="auto"`` is decided once for all
    runs with the same classes of model and loss and the same batch size.

    A run that fails does not stop the others. SIGTERM or Ctrl-C has all of them saved; the same
    call goes on.

    Args:
        trainers: the runs, which may differ in anything; each with a ``run_dir`` of its own.
        data: see :meth:`Trainer.fit`; with several workers it must be possible to pickle it.
        steps: total number of steps of each.
        workers: processes on the CPU; as many as runs, or as the cores that this process may use
            have room for (see :func:`disvae.training.threads.available_cores`), if None. A script
            that uses more than one must start them under ``if __name__ == "__main__":``.
        progress: show a bar of the runs.

    Returns:
        The runs, in the order of the trainers.

    Raises:
        ValueError: no trainers, or one without a ``run_dir`` or with another's; or something that
            several workers cannot be sent.
        RuntimeError: some runs failed; their own messages are above.
        SystemExit: SIGTERM came, and all are saved.
        KeyboardInterrupt: SIGINT came, and all are saved.

    Example:
        >>> def trainer(beta, seed):
        ...     torch.manual_seed(seed)  # the first weights
        ...     model, criterion = BurgessVAE((1, 64, 64)), BetaVAEHLoss(beta)
        ...     return Trainer(model, criterion, seed=seed, run_dir=f"runs/{beta}-{seed}")
        >>> pairs = [(beta, seed) for beta in (1, 4, 16) for seed in range(5)]
        >>> trainers = [trainer(*pair) for pair in pairs]  # doctest: +SKIP
        >>> runs = train_ensemble(trainers, Sprites(), steps=10_000)  # doctest: +SKIP
    """
    folders = [_folder(trainer) for trainer in trainers]
    if not folders or len(set(folders)) < len(folders):
        raise ValueError(
            "an ensemble needs trainers with a run_dir of their own each, got "
            f"{[str(folder) for folder in folders]}"
        )
    cores = available_cores()
    most = max(trainer.arguments["threads"] or 1 for trainer in trainers)
    workers = min(max(1, cores // most) if workers is None else workers, len(trainers))
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if trainers[0].device.type == "cpu" and workers > 1:
        share = max(1, cores // workers)
        threads = min(share, torch.get_num_threads()) if is_settled() else share
        arguments = [_arguments(trainer, trainers, data, threads) for trainer in trainers]
        complete = _in_processes(arguments, data, steps, workers, progress)
        failed = [str(folder) for i, folder in enumerate(folders) if i not in complete]
        if failed:
            raise RuntimeError(
                f"{len(failed)} of {len(trainers)} runs failed, for the reasons above: "
                f"{', '.join(failed)}"
            )
        for trainer in trainers:
            trainer.progress = False
            trainer.fit(data, steps)  # reads the state of the complete run
    else:
        take_turns(trainers, data, steps)
    return [load_run(folder) for folder in folders]


def _folder(trainer: Trainer) -> Path:
    if trainer.run_dir is None:
        raise ValueError("an ensemble leaves run directories: give every Trainer a run_dir")
    return Path(trainer.run_dir).resolve()


def _arguments(
    trainer: Trainer, peers: Sequence[Trainer], data: Any, threads: int
) -> dict[str, Any]:
    """All that a process needs to train it, with nothing left to decide."""
    with kept_threads():
        trainer.decide(lambda: trainer.source(data).batch(0), peers, threads)
    decided = {
        "precision": trainer.conditions.precision,
        "threads": trainer.conditions.threads,
        "progress": False,
    }
    model, criterion = trainer.model, trainer.criterion
    return {**trainer.arguments, **decided, "model": model, "criterion": criterion}


def _work(arguments: Sequence[dict[str, Any]], data: Any, steps: int, queues: Any) -> None:
    """What a process of an ensemble does: one waiting run after another, until none is left."""
    waiting, done, stop = queues
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while not stop.is_set() and (i := waiting.get()) is not None:
        try:
            trainer = Trainer(**arguments[i])
            trainer.conditions.tries = False
            trainer.fit(data, steps)
        except KeyboardInterrupt:  # from the keyboard it reaches all processes
            return
        except Exception:  # the next run is another matter
            traceback.print_exc()
        else:
            done.put(i)


def _in_processes(
    arguments: Sequence[dict[str, Any]], data: Any, steps: int, workers: int, progress: bool
) -> set[int]:
    """Which of the runs were trained to the end."""
    context = multiprocessing.get_context("spawn")  # a fork would inherit threads in mid-work
    waiting, done, stop = context.SimpleQueue(), context.SimpleQueue(), context.Event()
    for i in (*range(len(arguments)), *[None] * workers):
        waiting.put(i)
    job = (arguments, data, steps, (waiting, done, stop))
    processes = [context.Process(target=_work, args=job) for _ in range(workers)]
    complete: set[int] = set()
    with (
        stop_requests() as request,
        progress_bar(len(arguments), 0, "run", progress) as bar,
    ):
        try:
            for process in processes:
                _start(process)
            while not request.received:
                alive = [process.sentinel for process in processes if process.is_alive()]
                if not alive:
                    break
                connection.wait(alive, POLL)
                bar.update(_drain(done, complete))
        finally:
            stop.set()  # whoever is between two runs begins no other
            started = [process for process in processes if process.pid is not None]
            for process in started:
                process.terminate()  # SIGTERM: what still trains saves and ends
            for process in started:
                process.join()
    _drain(done, complete)
    if request.received:
        request.end()
    return complete


def _start(process: BaseProcess) -> None:
    try:
        process.start()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"processes get the models, losses and data by pickle, and {error}: define what they "
            "are made of at the top of a module, or train with workers=1"
        ) from error


def _end_with_parent() -> None:
    """Save and end as soon as the process that started this one is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _drain(done: Any, complete: set[int]) -> int:
    before = len(complete)
    while not done.empty():
        complete.add(done.get())
    return len(complete) - before
