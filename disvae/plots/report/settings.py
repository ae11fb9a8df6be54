"""What a report measures, and how much of it."""

from collections.abc import Sequence
from dataclasses import dataclass

# Quick enough that their standard errors take seconds; those of others, DCI above all, take longer.
USUAL_METRICS = (
    "FactorVAE score",
    "MIG",
    "MIG-sup",
    "AAM",
    "modularity",
    "IRS",
    "DCIMIG",
)
USUAL_CODES = 500


@dataclass(frozen=True)
class ReportSettings:
    """What a report measures where the run directory does not hold it yet.

    Args:
        metrics: names, such as ``("MIG", "DCI")``. If None, the scores in the run's
            ``evaluation.json``, or without such a file :data:`USUAL_METRICS`.
        points: images that metrics and KLs are measured on, at most.
        repeats: random halves of the samples to measure standard errors with; 0 for none.
        n_codes: codes at which the KL is decomposed; 0 for no decomposition. If None, what the
            run's ``evaluation.json`` has, or without it at :data:`USUAL_CODES` codes.
        largest_data: images above which a data set is not decomposed, since all are encoded.
        images: indices of the images to traverse from; four drawn with the seed if None,
            or fewer where images or codes are large.
        n_frames: values that a traversal takes each dimension through.
        reach: the values go from -reach to reach.
        seed: chooses images, votes and draws.

    Raises:
        ValueError: a number out of its range.
    """

    metrics: Sequence[str] | None = None
    points: int = 5_000
    repeats: int = 20
    n_codes: int | None = None
    largest_data: int = 20_000
    images: Sequence[int] | None = None
    n_frames: int = 17
    reach: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        at_least = {"points": 2, "repeats": 0, "n_codes": 0, "largest_data": 0, "n_frames": 2}
        for name, least in at_least.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if self.repeats == 1:
            raise ValueError("repeats must be 0 or 2 at least, got 1")
        if not self.reach > 0:
            raise ValueError(f"reach must be above 0, got {self.reach}")
        if self.images is not None and len(self.images) == 0:
            raise ValueError("images must name one image at least, or not be given")
