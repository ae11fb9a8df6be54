"""The kinds of pictures of training and of sweeps that ``disvae plot`` draws: functions of a run.

A keyword of such a function is an option of the command, its text below the option's help. All of
them but ``run`` have a default.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disvae.plots.curves import curves_figure
from disvae.plots.errors import NotApplicableError
from disvae.plots.history import score_history
from disvae.plots.sweep import read_sweep
from disvae.plots.sweep_figures import tradeoff_figure, weights_figure
from disvae.training import Run, load_run, read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves(run: Run, *, terms: Sequence[str] = (), others: Sequence[str] = ()) -> "Figure":
    """Each term of the loss over the steps of training.

    Args:
        run: the run.
        terms: which of the terms in the log; all if not given.
        others: directories of further runs, a line each; those that differ in their seed alone
            become one line, their mean, in a band of one standard deviation.

    Returns:
        A matplotlib figure.
    """
    groups = _groups(run, others)
    for each in (each for group in groups.values() for each in group):
        if not (each.path / "log.jsonl").exists():
            raise NotApplicableError(f"{each.path} has no log.jsonl to draw")
    logs = {name: [read_log(each.path) for each in group] for name, group in groups.items()}
    return curves_figure(logs, list(terms) or None)


def history(
    run: Run,
    *,
    scores: Sequence[str] = ("FactorVAE score", "MIG"),
    points: int = 5_000,
    others: Sequence[str] = (),
    seed: int = 0,
) -> "Figure":
    """Reconstruction error and scores over the steps of training, at the weights that were kept.

    Args:
        run: the run, trained with --keep_every.
        scores: the metrics, a panel for each.
        points: images to measure on, at most.
        others: directories of further runs, a line each; those that differ in their seed alone
            become one line, their mean, in a band of one standard deviation.
        seed: chooses the images, and is that of the metrics.

    Returns:
        A matplotlib figure.
    """
    metrics = list(scores)
    logs = {
        name: [score_history(each, metrics, points, seed) for each in group]
        for name, group in _groups(run, others).items()
    }
    return curves_figure(logs, ["reconstruction", *metrics], metrics)


def tradeoff(run: Run, *, others: Sequence[str] = (), score: str = "FactorVAE score") -> "Figure":
    """A score against the reconstruction error over the runs of a sweep.

    Args:
        run: one of the runs, evaluated like the others.
        others: directories of the other runs of the sweep: other losses, weights and seeds.
        score: the metric.

    Returns:
        A matplotlib figure.
    """
    return tradeoff_figure(read_sweep(_sweep(run, others)), score)


def weights(
    run: Run, *, others: Sequence[str] = (), scores: Sequence[str] = ("FactorVAE score", "MIG")
) -> "Figure":
    """Reconstruction error and scores over the weights of a sweep.

    Args:
        run: one of the runs, evaluated like the others.
        others: directories of the other runs of the sweep: other losses, weights and seeds.
        scores: the metrics, a row for each.

    Returns:
        A matplotlib figure.
    """
    return weights_figure(read_sweep(_sweep(run, others)), list(scores))


SWEEP_KINDS: dict[str, Callable[..., Any]] = {
    "curves": curves,
    "history": history,
    "tradeoff": tradeoff,
    "weights": weights,
}


def all_runs(run: Run, others: Sequence[str]) -> list[str]:
    """The folders of all runs, each once: others may be all of a folder, by ``runs/*``."""
    here = run.path.resolve()
    return [str(run.path), *(other for other in others if Path(other).resolve() != here)]


def _groups(run: Run, others: Sequence[str]) -> dict[str, list[Run]]:
    """Runs that differ in their seed alone, by the folder of the first."""
    alike: dict[str, list[Run]] = {}
    for path in all_runs(run, others):
        each = load_run(path)
        setting = repr({**each.config, "seed": None, "provenance": None})
        alike.setdefault(setting, []).append(each)
    return {_name(group): group for group in alike.values()}


def _name(group: Sequence[Run]) -> str:
    """What runs of one setting are called: by their first folder, and how many there are."""
    name = group[0].path.name
    return name if len(group) == 1 else f"{name} (of {len(group)} seeds)"


def _sweep(run: Run, others: Sequence[str]) -> list[str]:
    if not others:
        raise NotApplicableError("a sweep has several runs: name the others by --others runs/*")
    return all_runs(run, others)
