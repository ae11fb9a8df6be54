"""How fast the metrics are, and how near to what they stand for.

    python benchmarks/metrics.py --output runs/bench
    python benchmarks/metrics.py --reference path/to/disentanglement_lib

- The MIG of posteriors on all 737,280 images of dSprites' grid, in time, memory and distance from
  quadrature.
- The FactorVAE score and the MIG of histograms, of the same codes.
- DCI against scikit-learn's GradientBoostingClassifier on codes of falling quality, the two taking
  turns factor by factor: the ratio of their times, the distances of D and C, and whether they rank
  the codes alike. This takes minutes, all of them scikit-learn's.
- With a checkout of disentanglement_lib, its metrics (their dependence on TensorFlow replaced by
  nothing) beside the preset of its name, on codes of one grid: values and times.

Prints JSON, and writes it to metrics.json.
"""

import argparse
import json
import math
import resource
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy, kendalltau
from sklearn.ensemble import GradientBoostingClassifier

from disvae.data import FactorSpace, Sprites
from disvae.metrics import evaluate, factor_vae_score, mig, posterior_mig
from disvae.metrics.boosting import Sorted, boost

Floats = NDArray[np.float64]
SIZES = (3, 6, 40, 32, 32)
LATENT_DIM = 10


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmarks, print their report, and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=len(Sprites()), help="of the grid, at most")
    parser.add_argument("--train", type=int, default=10_000, help="samples that DCI learns from")
    parser.add_argument("--test", type=int, default=5_000, help="samples that DCI is tested on")
    parser.add_argument("--codes", type=int, default=3, help="sets of codes for DCI; 0 for none")
    parser.add_argument("--reference", type=Path, help="a checkout of disentanglement_lib")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    report: dict[str, Any] = {"grid": on_the_grid(options.images)}
    if options.codes:
        report["dci"] = boosting(options.codes, options.train, options.test)
    if options.reference:
        report["disentanglement_lib"] = reference(options.reference)
    print(json.dumps(report, indent=2))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "metrics.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def make_codes(factors: NDArray[np.int64], mixing: float, noise: float, seed: int = 0) -> Floats:
    """Codes of the factors, turned by ``mixing`` and with noise, and dimensions of noise alone."""
    rng = np.random.default_rng(seed)
    k = factors.shape[1]
    standard = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    skew = rng.normal(size=(k, k))
    eigenvalues, vectors = np.linalg.eig(skew - skew.T)
    turned = (vectors * np.exp(mixing * eigenvalues)) @ np.linalg.inv(vectors)
    codes = rng.normal(size=(len(factors), LATENT_DIM))
    codes[:, :k] = standard @ np.real(turned) + noise * codes[:, :k]
    return codes


def on_the_grid(n: int) -> dict[str, float]:
    """The metrics that take all images of dSprites' grid."""
    factors = Sprites().factors(range(len(Sprites()))).numpy()[:: max(1, len(Sprites()) // n)]
    mean = make_codes(factors, 0.2, 0.3).astype(np.float32)
    rng = np.random.default_rng(1)
    std = np.exp(rng.uniform(-3, 0, size=mean.shape)).astype(np.float32)
    mig(mean[:1000], factors[:1000, 3:])  # what is imported on first use
    before = _peak()
    seconds, value = timed(lambda: posterior_mig((mean, std), factors))
    memory = _peak() - before
    some = rng.choice(len(mean), min(2000, len(mean)), replace=False)
    part = (mean[some].astype(np.float64), std[some].astype(np.float64))
    exact = gap_by_quadrature(*part, factors[some])
    votes, _ = timed(lambda: factor_vae_score(mean, factors))
    histogram, _ = timed(lambda: mig(mean, factors))
    return {
        "images": len(mean),
        "posterior_mig": value,
        "posterior_mig_s": seconds,
        "posterior_mig_extra_gb": memory,
        "posterior_mig_of_2000": posterior_mig(part, factors[some]),
        "posterior_mig_of_2000_by_quadrature": exact,
        "factor_vae_score_s": votes,
        "mig_s": histogram,
        "mig_of_10000_s": timed(lambda: mig(mean[::73], factors[::73]))[0],
    }


def gap_by_quadrature(mean: Floats, std: Floats, factors: NDArray[np.int64]) -> float:
    """The MIG of posteriors by the density of every component at every point of a fine grid."""
    gaps = []
    tables = []
    for m, s in zip(mean.T, std.T, strict=True):
        z = np.linspace((m - 8 * s).min(), (m + 8 * s).max(), 8001)
        components = np.exp(-0.5 * ((z - m[:, None]) / s[:, None]) ** 2)
        components /= s[:, None] * math.sqrt(2 * math.pi)

        def entropy_of(rows: Any, components: Floats = components, z: Floats = z) -> float:
            density = components[rows].mean(axis=0)
            return -float((density * np.log(np.maximum(density, 1e-300))).sum() * (z[1] - z[0]))

        whole = entropy_of(slice(None))
        within = [
            sum((v == x).mean() * entropy_of(v == x) for x in np.unique(v)) for v in factors.T
        ]
        tables.append([whole - w for w in within])
    for v, row in zip(factors.T, np.array(tables).T, strict=True):
        best, second = sorted(row, reverse=True)[:2]
        gaps.append((best - second) / entropy(np.bincount(v)))
    return float(np.mean(gaps))


def boosting(n_codes: int, n_train: int, n_test: int) -> dict[str, Any]:
    """DCI's importances by this library and by scikit-learn."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, SIZES, size=(n_train + n_test, len(SIZES)))
    mine, theirs, rows = 0.0, 0.0, []
    for i in range(n_codes):
        codes = make_codes(factors, 0.8 * i / max(1, n_codes - 1), 0.1 + 0.2 * i, seed=i)
        tables: dict[str, list[Floats]] = {"disvae": [], "sklearn": []}
        accuracy: dict[str, list[float]] = {"disvae": [], "sklearn": []}
        for v in factors.T:
            took, fitted = timed(partial(_boost, codes, v, n_train))
            mine += took
            tables["disvae"].append(fitted.importance)
            accuracy["disvae"].append(float((fitted.test == v[n_train:]).mean()))
            model = GradientBoostingClassifier(random_state=0)
            took, _ = timed(partial(model.fit, codes[:n_train], v[:n_train]))
            theirs += took
            tables["sklearn"].append(model.feature_importances_)
            accuracy["sklearn"].append(float(model.score(codes[n_train:], v[n_train:])))
        rows.append(
            {
                name: dict(
                    zip("DC", disentanglement_and_completeness(np.array(table).T), strict=True)
                )
                | {"I": float(np.mean(accuracy[name]))}
                for name, table in tables.items()
            }
        )
        print(json.dumps(rows[-1]), file=sys.stderr)
    return {
        "codes": rows,
        "disvae_s": mine,
        "sklearn_s": theirs,
        "faster_by": theirs / mine,
        "largest_difference": {
            letter: max(abs(row["disvae"][letter] - row["sklearn"][letter]) for row in rows)
            for letter in "DCI"
        },
        "kendall_tau": {
            letter: float(
                kendalltau(*([row[who][letter] for row in rows] for who in rows[0])).statistic
            )
            for letter in "DC"
        },
    }


def _boost(codes: Floats, v: NDArray[np.int64], n_train: int) -> Any:
    return boost(Sorted(codes[:n_train], codes[n_train:]), v[:n_train])


def disentanglement_and_completeness(importance: Floats) -> tuple[float, float]:
    """As disentanglement_lib computes them from a table (latent_dim, n_factors)."""
    of_codes = 1 - entropy(importance.T + 1e-11, base=importance.shape[1])
    of_factors = 1 - entropy(importance + 1e-11, base=importance.shape[0])
    weights = importance.sum(axis=1) / importance.sum()
    return float((of_codes * weights).sum()), float(of_factors.mean())


class Grid:
    """What disentanglement_lib takes as a data set: its images are the codes themselves."""

    def __init__(self, sizes: tuple[int, ...], codes: Floats) -> None:
        self.space = FactorSpace(tuple(f"factor {k}" for k in range(len(sizes))), sizes)
        self.codes = codes
        self.num_factors, self.factors_num_values = len(sizes), list(sizes)

    def sample_factors(self, n: int, rs: np.random.RandomState) -> NDArray[np.int64]:
        """Factors drawn uniformly."""
        return np.stack([rs.randint(size, size=n) for size in self.space.sizes], axis=1)

    def sample_observations_from_factors(self, factors: Any, rs: Any) -> Floats:
        """The codes of some factors."""
        return self.codes[self.space.indices(factors.astype(np.int64)).numpy()]

    def sample(self, n: int, rs: np.random.RandomState) -> tuple[NDArray[np.int64], Floats]:
        """Factors and their codes."""
        factors = self.sample_factors(n, rs)
        return factors, self.sample_observations_from_factors(factors, rs)

    def sample_observations(self, n: int, rs: np.random.RandomState) -> Floats:
        """Codes of factors drawn uniformly."""
        return self.sample(n, rs)[1]


def reference(checkout: Path) -> dict[str, dict[str, float]]:
    """disentanglement_lib's numbers and times, and those of the preset of its name."""
    sizes = (3, 6, 8, 8, 8)
    space = FactorSpace(tuple("abcde"), sizes)
    every = space.factors(range(len(space))).numpy()
    codes = make_codes(every, 0.3, 0.3)
    grid = Grid(sizes, codes)
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(space), size=15_000)  # with replacement, as it draws its samples
    report = {}
    for name, compute in _reference_metrics(checkout, grid).items():
        theirs_s, theirs = timed(compute)
        settings: dict[str, Any] = {"preset": "disentanglement_lib", "metrics": [name]}
        mine_s, scores = timed(partial(evaluate, codes[drawn], every[drawn], **settings))
        mine = [float(score) for score in scores.values()]
        report[name] = {
            "disvae": mine,
            "disentanglement_lib": theirs,
            "faster_by": theirs_s / mine_s,
        }
    return report


def _reference_metrics(checkout: Path, grid: Grid) -> dict[str, Callable[[], list[float]]]:
    """disentanglement_lib's metrics at the settings of its study, as functions."""

    def configurable(*_: Any, **__: Any) -> Callable[[Any], Any]:
        return lambda function: function

    gin = types.ModuleType("gin")
    gin_tf = types.ModuleType("gin.tf")
    for fake in (gin, gin_tf):
        fake.configurable, fake.REQUIRED = configurable, None  # type: ignore[attr-defined]
    gin.tf = gin_tf  # type: ignore[attr-defined]
    absl, logging = types.ModuleType("absl"), types.ModuleType("absl.logging")
    logging.info = lambda *_: None  # type: ignore[attr-defined]
    absl.logging = logging  # type: ignore[attr-defined]
    six, moves = types.ModuleType("six"), types.ModuleType("six.moves")
    moves.range = range  # type: ignore[attr-defined]
    sys.modules |= {"gin": gin, "gin.tf": gin_tf, "absl": absl, "absl.logging": logging}
    sys.modules |= {"six": six, "six.moves": moves}
    sys.path.insert(0, str(checkout))
    root = "disentanglement_lib.evaluation.metrics"
    names = ("utils", "factor_vae", "beta_vae", "mig", "sap_score", "dci", "irs")
    module: dict[str, Any] = {name: import_module(f"{root}.{name}") for name in names}
    explicit = import_module(f"{root}.modularity_explicitness")
    utils: Any = module["utils"]
    utils.make_discretizer = lambda target, **_: utils._histogram_discretize(target, 20)
    votes: Any = module["factor_vae"]
    votes._prune_dims = partial(votes._prune_dims, threshold=0.05)

    def call(function: Any, *keys: str, **settings: Any) -> list[float]:
        found = function(grid, lambda codes: codes, np.random.RandomState(0), None, **settings)
        return [float(found[key]) for key in keys]

    both = {"num_train": 10_000, "num_test": 5_000, "batch_size": 10_000}
    voted = {"batch_size": 64, "num_train": 10_000, "num_eval": 5_000}
    one = {"num_train": 10_000, "batch_size": 10_000}
    m: Any = types.SimpleNamespace(**module)
    parts = ("disentanglement", "completeness", "informativeness_test")
    return {
        "FactorVAE score": lambda: call(
            m.factor_vae.compute_factor_vae,
            "eval_accuracy",
            num_variance_estimate=10_000,
            **voted,
        ),
        "β-VAE score": lambda: call(m.beta_vae.compute_beta_vae_sklearn, "eval_accuracy", **voted),
        "MIG": lambda: call(m.mig.compute_mig, "discrete_mig", **one),
        "SAP": lambda: call(m.sap_score.compute_sap, "SAP_score", continuous_factors=False, **both),
        "DCI": lambda: call(m.dci.compute_dci, *parts, **both),
        "modularity": lambda: call(
            explicit.compute_modularity_explicitness, "modularity_score", **both
        ),
        "explicitness": lambda: call(
            explicit.compute_modularity_explicitness, "explicitness_score_test", **both
        ),
        "IRS": lambda: call(m.irs.compute_irs, "IRS", diff_quantile=0.99, **one),
    }


def timed(compute: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what was computed."""
    begin = time.perf_counter()
    found = compute()
    return time.perf_counter() - begin, found


def _peak() -> float:
    """The most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
