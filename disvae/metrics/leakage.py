"""What a part of the code tells of a factor that it should not know."""

from collections.abc import Sequence

import numpy as np

from disvae.metrics.arrays import check_arrays
from disvae.metrics.downstream import Method, chance, check_method, predict
from disvae.metrics.score import Score


def leakage(
    codes: object,
    factors: object = None,
    *,
    dimensions: Sequence[int] | None = None,
    seed: int = 0,
    classifier: Method = "mlp",
    train_share: float = 2 / 3,
    names: Sequence[str] | None = None,
) -> Score:
    """Accuracy of predicting factors from some dimensions of the code alone.

    Where a code has one part for a label and another for everything else, the label must be
    predicted well from its own part, and at chance from the other.

    Args:
        codes: (n, latent_dim) floats; standardised here.
        factors: (n, n_factors) integers, such as one column of labels.
        dimensions: the sub-code; all of it if None.
        seed: of the split and of the classifier.
        classifier: as in :func:`disvae.metrics.downstream_accuracy`; by default a network with two
            hidden layers, since what is hidden from a linear classifier may still be there.
        train_share: part of the samples that is learned from.
        names: one name per factor, for the details.

    Returns:
        The mean accuracy over the factors, on samples that were not learned from; ``per_factor``;
        ``details``: ``train_accuracy`` of each factor, on those that were; its ``chance`` (its most
        frequent value), ``dimensions``, and what all metrics say of the codes.

    Raises:
        ValueError: see :func:`disvae.metrics.arrays.check_arrays`; dimensions that the codes do not
            have, or none; an unknown classifier; or too few samples to split.

    Warns:
        DegenerateCodesWarning: no dimension of the whole code varies.

    Reference:
        Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders, Jha et
        al. 2018, https://arxiv.org/abs/1804.10469, table 1.
    """
    check_method(classifier)
    arrays = check_arrays(codes, factors, names)
    latent_dim = arrays.codes.shape[1]
    chosen = np.arange(latent_dim) if dimensions is None else np.asarray(dimensions, dtype=np.int64)
    if chosen.size == 0 or chosen.min() < 0 or chosen.max() >= latent_dim:
        raise ValueError(
            f"expected dimensions from 0 to {latent_dim - 1}, got {chosen.tolist() or 'none'}"
        )
    train, test = arrays.split(train_share, seed)
    arrays.warn_if_dead("leakage", "chance")
    z = arrays.standard[:, np.intersect1d(chosen, arrays.live)]
    hits = {
        name: predict(z[train], v[train], z, classifier, seed) == v
        for name, v in zip(arrays.names, arrays.values.T, strict=True)
    }
    per_factor = {name: float(hit[test].mean()) for name, hit in hits.items()}
    details = {
        **arrays.details(),
        "train_accuracy": {name: float(hit[train].mean()) for name, hit in hits.items()},
        "chance": {name: chance(v) for name, v in zip(arrays.names, arrays.values.T, strict=True)},
        "dimensions": chosen.tolist(),
    }
    return Score(sum(per_factor.values()) / len(per_factor), "leakage", per_factor, details)
