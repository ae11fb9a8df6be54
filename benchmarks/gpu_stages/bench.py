"""What the stages share: how much of everything, the images, the runs, a clock for their steps."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from disvae import (
    BetaTCVAELoss,
    BetaVAEHLoss,
    BurgessVAE,
    FactorVAELoss,
    Loss,
    Trainer,
    VAELoss,
)
from disvae.data import BatchSource, Sprites, random_subset, store
from disvae.models import Discriminator
from disvae.training.turns import take_turns

WARM = 8  # steps before the clock starts; a step is captured in the fourth
LR = 1e-4


class Size(NamedTuple):
    """How much of everything."""

    n_images: int
    batches: tuple[int, ...]
    runs: tuple[int, ...]
    seeds: int
    hidden: int  # units of the discriminator
    points: int  # images that scores are of


FULL = Size(737_280, (64, 1024), (1, 4, 16, 32), 2, 1000, 10_000)
TINY = Size(2_000, (8,), (1, 2), 1, 20, 200)


class Data:
    """The sprites, drawn while the first stage runs."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> "Data":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _draw(self) -> None:
        sprites = Sprites()
        some = sprites if self._n >= len(sprites) else random_subset(sprites, self._n, seed=0)
        self._stored = store(some, progress=False)

    def __call__(self) -> Any:
        """The images, once they are drawn."""
        self._thread.join()
        return self._stored


class Bench(NamedTuple):
    """What a stage needs to know."""

    device: torch.device
    size: Size
    data: Data
    seconds: float
    precision: str

    @property
    def gpu(self) -> bool:
        """Whether it is one."""
        return self.device.type == "cuda"

    def synchronize(self) -> None:
        """Wait for all work in flight."""
        if self.gpu:
            torch.cuda.synchronize()


class EnoughError(Exception):
    """The time of a measurement is over."""


class Clock:
    """A source of batches that counts the steps of all who ask, and ends them in time.

    Args:
        source: of the batches.
        bench: where.
        seconds: to measure for.
        warm: how many batches are given before the clock starts.
    """

    def __init__(self, source: Any, bench: Bench, seconds: float, warm: int) -> None:
        self._source, self._bench = source, bench
        self._limit, self._warm = seconds, warm
        self._given, self._begin = 0, 0.0

    def __len__(self) -> int:
        return len(self._source.dataset)

    def batch(self, step: int) -> Tensor:
        """The next batch."""
        late = self._given > self._warm and time.perf_counter() - self._begin > self._limit
        if late:
            raise EnoughError
        if self._given == self._warm:
            self._bench.synchronize()
            self._begin = time.perf_counter()
        elif self._given % 50 == 0:  # what is asked for without end is measured without end
            self._bench.synchronize()
        self._given += 1
        batch: Tensor = self._source.batch(step)
        return batch

    def rate(self) -> float:
        """Steps a second."""
        self._bench.synchronize()
        return (self._given - self._warm) / (time.perf_counter() - self._begin)


LOSSES: dict[str, Callable[[Size], Loss]] = {
    "VAE": lambda size: VAELoss(),
    "beta-VAE": lambda size: BetaVAEHLoss(beta=4.0),
    "beta-TCVAE": lambda size: BetaTCVAELoss(size.n_images),
    "FactorVAE": lambda size: FactorVAELoss(
        10, gamma=35.0, discriminator=Discriminator(10, size.hidden)
    ),
}


def trainer(bench: Bench, name: str, seed: int = 0, **settings: Any) -> Trainer:
    """A run as in the paper."""
    torch.manual_seed(seed)
    settings = {"precision": "32-true", "batch_size": 64, "threads": 1, **settings}
    return Trainer(
        BurgessVAE((1, 64, 64)),
        LOSSES[name](bench.size),
        lr=LR,
        seed=seed,
        accelerator=bench.device.type,
        log_every=1_000,
        progress=False,
        **settings,
    )


def rate_of(bench: Bench, trainers: Sequence[Trainer], seconds: float) -> float:
    """Steps a second of trainers in turns."""
    batch_size = trainers[0].arguments["batch_size"]
    source = BatchSource(bench.data(), batch_size, 0, bench.device)
    clock = Clock(source, bench, seconds, WARM * len(trainers))
    try:
        take_turns(trainers, clock, 10**9)
    except EnoughError:
        pass
    except RuntimeError as error:  # one that several raised
        if not str(error).startswith(f"{len(trainers)} of {len(trainers)} runs failed: ; "):
            raise
    return clock.rate()


def attempt(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is measured, or why it failed."""
    try:
        return measure()
    except Exception as error:  # the next measurement is another matter
        return {"failed": f"{type(error).__name__}: {error}"[:500]}
