"""What the numbers of a trainer may be."""

from typing import Any, get_args

from disvae.divergence.estimators import make_estimator
from disvae.training.precision import Precision

POSITIVE = ("lr", "batch_size", "devices", "log_every", "checkpoint_every")
NOT_NEGATIVE = ("seed", "keep_every", "decompose_every")
# What is not part of what is computed.
ELSEWHERE = ("run_dir", "loggers", "progress", "threads")


def check_settings(settings: dict[str, Any]) -> None:
    """Refuse what no training could be done with, before any work.

    Args:
        settings: the arguments of :class:`disvae.Trainer`.

    Raises:
        ValueError: a number out of its range, an unknown precision, or an unknown estimator.
    """
    check_positive(**{name: settings[name] for name in POSITIVE})
    for name in ("max_gradient", "threads"):
        if settings[name] is not None:
            check_positive(**{name: settings[name]})
    for name in NOT_NEGATIVE:
        if settings[name] < 0:
            raise ValueError(f"{name} must not be negative, got {settings[name]}")
    if settings["precision"] not in get_args(Precision):
        known = get_args(Precision)
        raise ValueError(f"precision must be in {known}, got {settings['precision']!r}")
    make_estimator(settings["estimator"], 1)


def check_positive(**numbers: float) -> None:
    """Refuse a number of 0 or less, or NaN, by its name.

    Raises:
        ValueError: there is one.
    """
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} must be positive, got {number}")
