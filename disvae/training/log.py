"""The log of a run: the mean of every term between two log points, as JSON lines and curves."""

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.utils import make_grid

from disvae.extras import has
from disvae.files import open_to_append, write_atomically
from disvae.models import LatentModel

WITHOUT_TENSORBOARD = (
    "log.jsonl holds every curve; event files too once TensorBoard is installed: "
    "pip install 'disvae[tensorboard]'"
)

# What a line of the log says of the machine: it differs from one run to the next.
MEASURED = (
    "images_per_second",
    "ms_batch",
    "ms_forward",
    "ms_backward",
    "ms_update",
    "ms_replay",
    "peak_memory_mib",
)


class RunningMeans:
    """Means of named scalars since the last reset, summed where the scalars live.

    Reading a number from a GPU waits for all work in flight, so that nothing is read until
    :meth:`read`.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, terms: dict[str, Tensor]) -> None:
        """Add one step's detached scalars; each name has its own mean, over the steps with it."""
        known = [name for name in terms if name in self._sums]
        if known:  # one call for all: a GPU's terms are its smallest kernels
            torch._foreach_add_([self._sums[name] for name in known], [terms[n] for n in known])
        self._sums |= {name: term.clone() for name, term in terms.items() if name not in known}
        for name in terms:
            self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        """The means as numbers."""
        return {name: total.item() / self._counts[name] for name, total in self._sums.items()}

    def reset(self) -> None:
        """Start over."""
        self._sums, self._counts = {}, {}

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs in order that the next log line comes out the same."""
        return {"sums": dict(self._sums), "counts": self._counts}

    def load_state_dict(self, state: dict[str, Any], device: Any) -> None:
        """Go on from :meth:`state_dict`, with the sums on ``device``."""
        self._sums = {name: total.to(device) for name, total in state["sums"].items()}
        self._counts = dict(state["counts"])


class Stopwatch:
    """Where the time of the steps goes, as the host sees it.

    A GPU works on while the host asks for more: there the parts say how long asking took.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start over: the steps of a process that was killed do not count."""
        self._steps, self._images, self._seconds = 0, 0, dict[str, float]()
        self._start = self._last = time.perf_counter()

    def begin(self) -> None:
        """A step begins."""
        self._steps += 1
        self._last = time.perf_counter()

    def count(self, batch: Any) -> None:
        """Count the images of a batch, each of a pair."""
        parts = batch if isinstance(batch, (list, tuple)) else [batch]
        images = (part for part in parts if isinstance(part, Tensor) and part.ndim == 4)
        self._images += sum(map(len, images))

    def lap(self, part: str) -> None:
        """A part of the step is over."""
        now = time.perf_counter()
        self._seconds[part] = self._seconds.get(part, 0.0) + now - self._last
        self._last = now

    def read(self, processes: int, device: torch.device) -> dict[str, float]:
        """The speed since the last time, the parts of a step in milliseconds, the peak of memory.

        Args:
            processes: that took as many images each.
            device: whose memory; the process's if it is the CPU.
        """
        seconds = time.perf_counter() - self._start
        parts = {f"ms_{part}": 1e3 * total / self._steps for part, total in self._seconds.items()}
        record = {"images_per_second": processes * self._images / seconds, **parts}
        self.restart()
        return record | {"peak_memory_mib": _peak_memory(device) / 2**20}


def _peak_memory(device: torch.device) -> float:
    """The most that was ever in use, in bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return math.nan
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def check_finite(step: int, means: dict[str, float]) -> None:
    """Stop a run that has diverged.

    A mean is infinite or NaN if the term was at any step since the last log point.

    Raises:
        FloatingPointError: a term is infinite or NaN; the message names it and the step.
    """
    bad = [name for name, value in means.items() if not math.isfinite(value)]
    if bad:
        parts = [name for name in bad if name not in ("loss", "objective")]  # the sums of the rest
        named = ", ".join(f"{name!r} ({means[name]})" for name in parts or bad)
        raise FloatingPointError(
            f"training diverged: not finite up to step {step} is the mean of {named}; try a "
            "smaller learning rate or weight, or float32. The last checkpoint is kept"
        )


def check_weights(step: int, module: nn.Module) -> None:
    """Refuse to keep weights that the last update has ruined, before any term shows it.

    Raises:
        FloatingPointError: a weight is infinite or NaN; the message names it and the step.
    """
    for name, weight in module.state_dict().items():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise FloatingPointError(
                f"training diverged: {name} is not finite after step {step}; try a smaller "
                "learning rate or weight, or float32. The last checkpoint is kept"
            )


class Log:
    """``log.jsonl`` and ``tensorboard/`` of a run directory, continued after ``step`` steps.

    The event files of TensorBoard are written only if it is installed.

    Args:
        folder: the run directory.
        step: lines of later steps, left by a process that was killed, are dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        path = folder / "log.jsonl"
        kept = [line for line in _lines(path) if _step(path, line) <= step]
        write_atomically(path, "".join(kept).encode())
        self._file = open_to_append(path)
        self._writer = _event_writer(folder / "tensorboard", step)

    def write(self, step: int, record: dict[str, float]) -> None:
        """Write one line, and one point of each curve."""
        try:
            self._file.write(json.dumps({"step": step, **record}) + "\n")
            self._file.flush()
        except OSError as error:
            message = (
                f"cannot write {self._file.name} ({error.strerror}); the last checkpoint is kept"
            )
            raise OSError(error.errno, message) from error
        if self._writer:
            for name, value in record.items():
                self._writer.add_scalar(name, value, step)

    @torch.no_grad()
    def show(self, step: int, model: LatentModel, images: Tensor) -> None:
        """Add pictures of some reconstructions, and the histogram of each dimension's codes.

        Args:
            step: when.
            model: whose.
            images: a batch; the first eight are reconstructed, all are encoded.
        """
        if self._writer is None:
            return
        mode = model.training
        model.eval()
        images = images.to(next(model.parameters()).dtype)
        pictures = torch.cat([images[:8], model.reconstruct(images[:8])]).float().clamp(0, 1)
        codes = model.represent(images).float().cpu()
        model.train(mode)
        self._writer.add_image("reconstructions", make_grid(pictures, len(pictures) // 2), step)
        for j, column in enumerate(codes.T):
            self._writer.add_histogram(f"codes/{j}", column, step)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._writer:
            self._writer.close()


def _event_writer(folder: Path, step: int) -> Any:
    """A writer of TensorBoard's event files, or None if it is not installed."""
    if not has("tensorboard"):
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)


def read_log(folder: str | Path) -> list[dict[str, float]]:
    """The lines of a run's log, in their order.

    Args:
        folder: the run directory.

    Returns:
        Of each log point its ``step`` and the mean of every term since the one before.

    Raises:
        FileNotFoundError: the folder has no log.
        ValueError: a line is damaged.

    Example:
        >>> read_log("runs/factor")[-1]["reconstruction"]  # doctest: +SKIP
        47.3
    """
    path = Path(folder) / "log.jsonl"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no log.jsonl: it is no run, or has not begun")
    lines = _lines(path)
    for line in lines:
        _step(path, line)
    return [json.loads(line) for line in lines]


def _step(path: Path, line: str) -> int:
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds a line that is no log line: {line[:80]!r}") from error


def _lines(path: Path) -> list[str]:
    """The whole lines of a log: the last is cut short if the process was killed as it wrote it."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
