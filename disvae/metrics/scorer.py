"""Metrics as scikit-learn's model selection wants them."""

from collections.abc import Callable
from typing import Any

from disvae.metrics.score import Score


def scorer(metric: Callable[..., Score], **settings: Any) -> Callable[[Any, Any, Any], float]:
    """A metric as a scorer, for ``cross_val_score`` or ``GridSearchCV(..., scoring=...)``.

    Args:
        metric: such as :func:`disvae.metrics.mig`.
        settings: its arguments.

    Returns:
        ``f(estimator, X, factors) -> float``, of the codes ``estimator.transform(X)``.

    Example:
        >>> import numpy as np
        >>> from sklearn.decomposition import PCA
        >>> from sklearn.model_selection import cross_val_score
        >>> from disvae.metrics import mig
        >>> v = np.random.default_rng(0).integers(4, size=(600, 2))
        >>> x = (v * [1.0, 3.0]) @ [[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0]]  # turned
        >>> scores = cross_val_score(PCA(2), x, v, scoring=scorer(mig), cv=3)
        >>> bool(scores.min() > mig(x[:, :2], v) + 0.4)  # PCA turns it back
        True
    """

    def score(estimator: Any, x: Any, factors: Any) -> float:
        return float(metric(estimator.transform(x), factors, **settings))

    return score
