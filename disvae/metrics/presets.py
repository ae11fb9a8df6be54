"""The conventions that published numbers follow, by name."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial

from disvae.metrics.aam import aam
from disvae.metrics.beta_vae import beta_vae_score
from disvae.metrics.dci import dci
from disvae.metrics.dcimig import dcimig
from disvae.metrics.dmig import dmig
from disvae.metrics.explicitness import explicitness
from disvae.metrics.factor_vae import factor_vae_score
from disvae.metrics.infomec import infoc, infoe, infom
from disvae.metrics.irs import irs
from disvae.metrics.jemmig import jemmig
from disvae.metrics.mig import mig
from disvae.metrics.mig_sup import mig_sup
from disvae.metrics.minimality import minimality
from disvae.metrics.modularity import modularity
from disvae.metrics.sap import sap
from disvae.metrics.score import Score
from disvae.metrics.sufficiency import sufficiency
from disvae.metrics.unsupervised import (
    gaussian_total_correlation,
    mutual_information_score,
    wasserstein_correlation,
)
from disvae.metrics.xmig import xmig
from disvae.metrics.z_max_variance import z_max_variance

Metric = Callable[..., Score]

METRICS: dict[str, Metric] = {
    "FactorVAE score": factor_vae_score,
    "β-VAE score": beta_vae_score,
    "MIG": mig,
    "AAM": aam,
    "SAP": sap,
    "DCI": dci,
    "modularity": modularity,
    "explicitness": explicitness,
    "IRS": irs,
    "InfoM": infom,
    "InfoE": infoe,
    "InfoC": infoc,
    "MIG-sup": mig_sup,
    "DCIMIG": dcimig,
    "JEMMIG": jemmig,
    "Z-max-variance score": z_max_variance,
    "DMIG": dmig,
    "XMIG": xmig,
    "minimality": minimality,
    "sufficiency": sufficiency,
}
WITHOUT_FACTORS: dict[str, Metric] = {
    "Gaussian TC": gaussian_total_correlation,
    "Wasserstein correlation": wasserstein_correlation,
    "mutual information score": mutual_information_score,
}

# The settings that differ from the defaults; a preset has the metrics that it names.
PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "default": {name: {} for name in METRICS},
    "paper": {
        "FactorVAE score": {"samples_per_vote": 100, "train_votes": 800, "eval_votes": 800},
        "β-VAE score": {"pairs": 200, "standardize": False},
        "SAP": {"standardize": False},
        "DCI": {"predictor": "forest"},
        "modularity": {"bins": 20},
        "explicitness": {},
        "IRS": {"quantile": 1.0, "weighted": True},
        "InfoM": {},
        "InfoE": {},
        "InfoC": {},
        "MIG-sup": {},
        "DCIMIG": {},
        "JEMMIG": {},
        "Z-max-variance score": {},
        "DMIG": {},
        "XMIG": {},
        "minimality": {"bins": 15},
        "sufficiency": {"bins": 15},
    },
    "disentanglement_lib": {
        "FactorVAE score": {"min_std": 0.05},
        "β-VAE score": {"standardize": False},
        "MIG": {"bins": 20},
        "SAP": {"standardize": False},
        "DCI": {},
        "modularity": {"bins": 20, "count_dead": True},
        "explicitness": {"rescale": False},
        "IRS": {"quantile": 0.99, "weighted": True},
    },
    "review": {
        "FactorVAE score": {
            "samples_per_vote": 200,
            "train_votes": 800,
            "eval_votes": 800,
            "min_std": 0.05,
        },
        "β-VAE score": {"pairs": 200, "standardize": False},
        "MIG": {"bins": 10},
        "MIG-sup": {"bins": 10, "count_dead": True},
        "DCIMIG": {"bins": 10},
        "JEMMIG": {"bins": 10},
        "modularity": {"bins": 10, "count_dead": True},
        "explicitness": {},
        "IRS": {"quantile": 1.0, "weighted": True},
        "Z-max-variance score": {"min_std": 0.05},
    },
}


def preset_metrics(preset: str) -> dict[str, Metric]:
    """The metrics of a preset, with its settings.

    Args:
        preset: "default"; "paper", each metric as its own paper has it; "disentanglement_lib"; or
            "review", the package of Zaidi et al. 2020.

    Raises:
        ValueError: an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    return {
        name: partial(METRICS[name], **settings) if settings else METRICS[name]
        for name, settings in PRESETS[preset].items()
    }


def choose(metrics: Mapping[str, Metric] | Sequence[str] | None, preset: str) -> dict[str, Metric]:
    """Metrics by name, out of a preset or the user's own.

    Raises:
        ValueError: an unknown preset, or a name that it does not have.
    """
    if isinstance(metrics, Mapping):
        return dict(metrics)
    known = preset_metrics(preset)
    if metrics is None:
        return known
    known |= WITHOUT_FACTORS
    unknown = [name for name in metrics if name not in known]
    if unknown:
        folded = {name.lower(): name for name in known}
        close = get_close_matches(unknown[0].lower(), folded, n=1)
        guess = f" (did you mean {folded[close[0]]!r}?)" if close else ""
        raise ValueError(
            f"the preset {preset!r} has no metric {unknown[0]!r}{guess}; it has {', '.join(known)}"
        )
    return {name: known[name] for name in metrics}
