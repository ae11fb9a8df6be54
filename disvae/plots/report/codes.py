"""A run's codes, encoded once for all that a report says of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from disvae.data import FactorDataset, ImageDataset
from disvae.data.encode import encode_posteriors
from disvae.divergence import KLDecomposition, information_per_dimension, measure_decomposition
from disvae.divergence.parameters import join
from disvae.metrics import DegenerateCodesWarning, Scores, evaluate
from disvae.models import LatentModel
from disvae.plots.dimensions import known_shares
from disvae.plots.report.evaluation import Entry
from disvae.plots.report.settings import USUAL_CODES, USUAL_METRICS, ReportSettings


@dataclass(frozen=True)
class Codes:
    """The posteriors of some images of a data set.

    Attributes:
        posterior: q(z|x), (n, latent_dim).
        indices: of which images, (n,).
        whole: whether these are all images of the data set.
        prior: p(z), (latent_dim,).
        discrete: the dimensions that are categorical.
        kl: KL of each dimension to the prior, in nats, averaged over them.
    """

    posterior: Any
    indices: Tensor
    whole: bool
    prior: Distribution
    discrete: Sequence[int]
    kl: Float[Tensor, " latent_dim"]

    def sample(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """The posterior means and the indices of ``n`` of the images, or of all."""
        generator = torch.Generator().manual_seed(seed)
        some = torch.randperm(len(self.indices), generator=generator)[:n].sort().values
        return self.posterior.loc[some], self.indices[some]


def encode(model: LatentModel, data: ImageDataset, settings: ReportSettings) -> Codes:
    """Encode the whole data set if it is to be decomposed and not too large, or else a sample."""
    n = len(data)
    whole = n <= max(settings.points, settings.largest_data if settings.n_codes != 0 else 0)
    if whole:
        indices = torch.arange(n)
    else:
        order = torch.randperm(n, generator=torch.Generator().manual_seed(settings.seed))
        indices = order[: settings.points].sort().values
    posterior = encode_posteriors(model, data, indices, progress=False)
    prior = join([model.prior])
    kl = information_per_dimension(posterior, prior).mean(0)
    return Codes(posterior, indices, whole, prior, model.discrete, kl)


def measure_scores(data: FactorDataset, codes: Codes, settings: ReportSettings) -> Scores:
    """The metrics of a sample of the codes, with standard errors if asked for.

    A factor that has one value in the sample is left out: no code could tell of it.
    """
    means, factors, names = _sample(data, codes, settings)
    if not names:
        return Scores({}, {"every metric": "no factor varies among the images"})
    with catch_warnings():
        simplefilter("ignore", DegenerateCodesWarning)  # the KL of each dimension shows it
        return evaluate(
            means,
            factors,
            seed=settings.seed,
            names=names,
            discrete=codes.discrete,
            metrics=USUAL_METRICS if settings.metrics is None else settings.metrics,
            repeats=settings.repeats,
        )


def information_shares(
    data: ImageDataset, codes: Codes, settings: ReportSettings
) -> dict[str, list[float]]:
    """What each dimension knows of each factor, as a part of the factor's entropy.

    See :func:`disvae.plots.dimensions.known_shares`; no less than 0.

    Returns:
        A number for each dimension, by factor; empty where there are no factors to know.
    """
    if not isinstance(data, FactorDataset):
        return {}
    means, factors, names = _sample(data, codes, settings)
    if not names:
        return {}
    known = known_shares(means, factors.numpy(), settings.seed).clip(min=0)
    return dict(zip(names, known.tolist(), strict=True))


def _sample(
    data: FactorDataset, codes: Codes, settings: ReportSettings
) -> tuple[Tensor, Tensor, list[str]]:
    """Codes, and those of their factors that vary, with their names."""
    means, indices = codes.sample(settings.points, settings.seed)
    factors = data.factors(indices)
    varied = (factors != factors[:1]).any(0).nonzero()[:, 0].tolist()
    return means, factors[:, varied], [data.space.names[k] for k in varied]


def measure_terms(codes: Codes, settings: ReportSettings) -> dict[str, Any]:
    """The exact decomposition of the KL, as :func:`disvae.training.decompose_dataset` has it."""
    measured = measure_decomposition(
        codes.posterior,
        USUAL_CODES if settings.n_codes is None else settings.n_codes,
        generator=torch.Generator().manual_seed(settings.seed),
        progress=False,
        prior=codes.prior,
    )
    terms = {
        name: Entry(
            getattr(measured.mean, name).item(), getattr(measured.standard_error, name).item()
        )
        for name in KLDecomposition._fields
    }
    return {"terms": terms, "n_codes": measured.n_codes, "n_images": measured.n_images}
