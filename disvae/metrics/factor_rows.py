"""The dimension that stands for each factor, and whether it stands for others too."""

import math
from typing import NamedTuple

import numpy as np

from disvae.metrics.score import Score


class FactorRow(NamedTuple):
    """The dimension that knows most of a factor: the row of a traversal that moves it.

    Attributes:
        dimension: the dimension j of the largest I(v_k; z_j).
        share: that information as a part of the factor's entropy, from 0 to 1.
        lead: I(v_k; z_j) divided by the most that dimension j knows of another factor. Below 1 the
            dimension stands for another factor rather than for this one. A row that moves one
            factor alone has a large lead; 2 is little.
    """

    dimension: int
    share: float
    lead: float


def factor_rows(score: Score) -> dict[str, FactorRow]:
    """Find the dimension that stands for each factor in what the MIG has measured.

    Args:
        score: of :func:`disvae.metrics.mig`, for its table of information.

    Returns:
        A row for each factor, by name.

    Example:
        >>> from disvae.metrics import mig
        >>> v = [[a, b] for a in range(4) for b in range(5)]
        >>> factor_rows(mig([[b, a] for a, b in v], v, names=["shape", "size"]))["shape"]
        FactorRow(dimension=1, share=1.0, lead=inf)
    """
    table = np.asarray(score.details["mutual_information"])
    rows = {}
    for k, (name, entropy) in enumerate(
        zip(score.per_factor, score.details["entropy"], strict=True)
    ):
        j = int(table[k].argmax())
        own, others = float(table[k, j]), np.delete(table[:, j], k)
        second = float(others.max(initial=0.0))
        lead = own / second if second > 0 else (math.inf if own > 0 else 0.0)
        rows[name] = FactorRow(j, own / entropy, lead)
    return rows
