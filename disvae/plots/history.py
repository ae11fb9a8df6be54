"""How the scores of a run went during training."""

from collections.abc import Sequence
from warnings import catch_warnings, simplefilter

from disvae.data import FactorDataset
from disvae.metrics import DegenerateCodesWarning, evaluate_model
from disvae.plots.errors import NotApplicableError
from disvae.training import Run, read_log


def score_history(
    run: Run,
    metrics: Sequence[str] = ("FactorVAE score", "MIG"),
    points: int = 5_000,
    seed: int = 0,
) -> list[dict[str, float]]:
    """The log of a run with scores at the steps whose weights were kept.

    With :func:`disvae.plots.curves_figure`, which draws it, this is figure 4 of FactorVAE's paper:
    reconstruction error and scores over training, a colour for each weight.

    Args:
        run: trained with ``keep_every``, on images with factors.
        metrics: which ones, by their names.
        points: images to measure on, at most; the same at every step.
        seed: chooses the images, and is that of the metrics.

    Returns:
        The lines of the log, and of each kept step a line with its scores.

    Raises:
        NotApplicableError: no weights were kept, or the data has no factors.
        ValueError: an unknown metric.

    Reference:
        Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, figure 4.
    """
    data = run.data()
    if not isinstance(data, FactorDataset):
        raise NotApplicableError(f"{type(data).__name__} has no factors to score codes with")
    if not run.kept_steps():
        raise NotApplicableError(
            f"{run.path} keeps no weights over time: train with keep_every (--keep_every STEPS)"
        )
    lines = read_log(run.path)
    for step in run.kept_steps():
        with catch_warnings():
            simplefilter("ignore", DegenerateCodesWarning)  # early codes may well be constant
            scores = evaluate_model(
                run.kept_model(step), data, n=points, seed=seed, metrics=metrics, progress=False
            )
        lines.append({"step": step, **{name: float(score) for name, score in scores.items()}})
    return lines
