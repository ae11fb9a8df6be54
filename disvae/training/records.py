"""What training writes as it goes: lines of the log, weights, checkpoints and pictures."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from disvae.data import BatchSource, TupleSource
from disvae.models import LatentModel
from disvae.training.log import Log, Stopwatch, check_finite, check_weights
from disvae.training.provenance import note_start
from disvae.training.run import RunDirectory
from disvae.training.state import TrainingState


class Records:
    """Writes to a run directory, and to the loggers that a user gave.

    Args:
        fabric: of the process; the first one writes.
        state: what is written of.
        run: where to, as one begins or goes on; None to write no file.
        keep_every: steps between two weights that are kept for good; 0 for none.
        loggers: of Lightning Fabric.
    """

    def __init__(
        self,
        fabric: Any,
        state: TrainingState,
        run: RunDirectory | None,
        keep_every: int,
        loggers: Sequence[Any],
    ) -> None:
        self._fabric, self._state, self._run = fabric, state, run
        self._keep_every, self._loggers = keep_every, loggers
        self._log = None
        if run:
            run.go_on(state.state_dict())
            note_start(run.path, state.step)
            self._log = Log(run.path, state.step)
        self.keep_weights()

    def keep_weights(self) -> None:
        """Keep the model for good if it is its turn; a run that goes on writes the same again."""
        every, step = self._keep_every, self._state.step
        if self._run and every and step % every == 0:
            self._run.write_kept(self._state.kept, step)

    def write_line(self, watch: Stopwatch) -> dict[str, float]:
        """Write the means since the last log point and the speed since then, and begin anew.

        Args:
            watch: what timed the steps.

        Returns:
            The line.

        Raises:
            FloatingPointError: a term is no longer finite, or a weight that would be kept.
            OSError: the line cannot be written.
        """
        state = self._state
        record = state.mean_terms()
        check_finite(state.step, record)
        record |= watch.read(self._fabric.world_size, self._fabric.device)
        state.means.reset()
        if state.monitor.is_best(record) and self._run:
            check_weights(state.step, state.kept)
            self._run.write_best(state.kept, state.step, record)
        if self._log:
            self._log.write(state.step, record)
        if self._fabric.is_global_zero:
            for logger in self._loggers:
                logger.log_metrics(record, step=state.step)
        return record

    def save(self, last: bool) -> None:
        """Write a checkpoint; processes that do not write check the state all the same.

        Args:
            last: whether training has ended.

        Raises:
            FloatingPointError: the state has diverged; the last checkpoint is kept.
        """
        self._state.check()
        if self._run is None:
            return
        write = self._run.write_end if last else self._run.write_checkpoint
        write(self._state.state_dict())

    def show(self, source: Any) -> None:
        """Pictures of what the model makes of the first images, and of their codes."""
        model = self._state.kept
        images = isinstance(source, BatchSource | TupleSource)
        if self._log and images and isinstance(model, LatentModel):
            batch = source.batch(0)
            x = batch if isinstance(batch, Tensor) else batch[0]
            self._log.show(self._state.step, model, self._fabric.to_device(x))

    def close(self) -> None:
        """Close the log."""
        if self._log:
            self._log.close()
