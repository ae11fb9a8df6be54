"""Metrics over batches, and over processes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

from disvae.metrics.evaluate import evaluate
from disvae.metrics.score import Score, Scores


class Accumulator:
    """Collects codes and factors batch by batch, and computes metrics on all of them.

    The codes are kept, on the CPU, because no metric of disentanglement is a sum over batches:
    10,000 codes of ten dimensions are 400 kB. In a distributed run :meth:`compute` gathers those of
    all processes first, so that every process has the number that one process alone would have
    (up to the order of the samples, which the seed's draws depend on).

    Args:
        metric: ``f(codes, factors, *, seed, names) -> Score``, such as :func:`disvae.metrics.mig`;
            :func:`disvae.metrics.evaluate` if None.
        seed: given to the metric.
        names: one name per factor.
        settings: further arguments of the metric.

    Example:
        >>> from disvae.metrics import mig
        >>> accumulator = Accumulator(mig)
        >>> for v in torch.arange(20).split(6):
        ...     accumulator.update(codes=torch.stack([v % 4, v // 4], 1).float(),
        ...                        factors=torch.stack([v % 4, v // 4], 1))
        >>> accumulator.compute()
        MIG = 1.0000
    """

    def __init__(
        self,
        metric: Callable[..., Score | Scores] | None = None,
        *,
        seed: int = 0,
        names: Sequence[str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._metric = evaluate if metric is None else metric
        self._seed, self._names = seed, names
        self._settings = dict(settings or {})
        self.reset()

    def __len__(self) -> int:
        return sum(len(codes) for codes in self._codes)

    def update(self, codes: Tensor, factors: Tensor) -> None:
        """Add a batch.

        Args:
            codes: (batch, latent_dim) floats, on any device.
            factors: (batch, n_factors) integers.

        Raises:
            ValueError: shapes that are not these, or differ from those of earlier batches.
        """
        if codes.dim() != 2 or factors.dim() != 2 or len(codes) != len(factors):
            raise ValueError(
                "expected codes (batch, latent_dim) and factors (batch, n_factors), got shapes "
                f"{tuple(codes.shape)} and {tuple(factors.shape)}"
            )
        if self._codes and (
            codes.shape[1] != self._codes[0].shape[1]
            or factors.shape[1] != self._factors[0].shape[1]
        ):
            raise ValueError(
                f"earlier batches had {self._codes[0].shape[1]} dimensions and "
                f"{self._factors[0].shape[1]} factors, this one {codes.shape[1]} and "
                f"{factors.shape[1]}"
            )
        # Copies: the caller may go on to use the memory of the batch.
        self._codes.append(codes.detach().float().cpu().clone())
        self._factors.append(factors.detach().cpu().clone())

    def compute(self) -> Score | Scores:
        """The metric over all batches since the last :meth:`reset`, of all processes.

        Raises:
            ValueError: there was no batch, or what the metric raises.
        """
        here = (torch.cat(self._codes), torch.cat(self._factors)) if self._codes else None
        parts = [part for part in _of_all_processes(here) if part is not None]
        if not parts:
            raise ValueError("there is nothing to compute: update with batches first")
        codes, factors = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        settings = {"seed": self._seed, "names": self._names} | self._settings
        return self._metric(codes, factors, **settings)

    def reset(self) -> None:
        """Forget all batches."""
        self._codes: list[Tensor] = []
        self._factors: list[Tensor] = []


Part = tuple[Tensor, Tensor] | None


def _of_all_processes(part: Part) -> list[Part]:
    """What each process has, by rank; what this one has outside of a distributed run."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [part]
    parts: list[Part] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, part)
    return parts
