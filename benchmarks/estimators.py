"""How far to trust each estimator of the KL's parts: bias, spread, gradient and cost.

    python benchmarks/estimators.py --output runs/bench

On posteriors whose aggregate is known, so that the truth is enumerated: ten dimensions made of five
sources, seen a batch at a time. One of the latent dimension, the batch size, the data set's size
and the width of the posteriors varies, the others stay. Prints tables, writes estimators.json and
estimators.png.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Normal
from tqdm import tqdm

from disvae.divergence import (
    BatchEstimate,
    Estimator,
    KLDecomposition,
    MinibatchJackknife,
    MinibatchStratified,
    MinibatchWeighted,
    density_ratio,
    exact_decomposition,
    permute_dims,
)
from disvae.divergence.density_ratio import discriminator_loss
from disvae.models import Discriminator
from disvae.training.memory import keep_freed_memory

TERMS = KLDecomposition._fields
RATIO = "density ratio"
LABELS = {
    "mutual_information": "mutual information",
    "total_correlation": "total correlation",
    "dimension_wise_kl": "dimension-wise KL",
    "latent_dim": "latent dimensions",
    "batch_size": "images in a batch",
    "dataset_size": "images in the data set",
    "std": "standard deviation of q(z|x)",
}
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]  # Okabe and Ito


@dataclass(frozen=True)
class Setting:
    """What the posteriors look like, and how many are seen at a time."""

    latent_dim: int = 10
    batch_size: int = 64
    dataset_size: int = 2_000
    std: float = 0.25


SWEEPS: dict[str, list[float]] = {
    "latent_dim": [2, 5, 10, 20],
    "batch_size": [16, 64, 256, 1024],
    "dataset_size": [500, 2_000, 8_000, 20_000],
    "std": [0.05, 0.1, 0.25, 0.5, 0.8],
}


class ConstantFree(Estimator):
    """MWS without its constants, as some packages train with: the log of the row's bare sum."""

    def log_average(self, log_q: Tensor) -> Tensor:
        """The log of the row's sum."""
        return log_q.logsumexp(1)


ESTIMATORS: dict[str, Callable[[int], Estimator]] = {
    "weighted (MWS)": MinibatchWeighted,
    "constant-free": lambda n: ConstantFree(),
    "batch average": lambda n: BatchEstimate(),
    "stratified (MSS)": MinibatchStratified,
    "jackknife": MinibatchJackknife,
}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its tables, write them and the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--batches", type=int, default=200, help="of 64 images; fewer of larger ones"
    )
    parser.add_argument("--ratio_steps", type=int, default=3_000, help="of the discriminator")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    parser.add_argument("--largest", type=float, default=math.inf, help="leave out larger sizes")
    options = parser.parse_args(argv)
    torch.manual_seed(0)
    keep_freed_memory()
    settings = [s for _, _, s in _sweeps(options.largest)]
    rows = {s: measure(s, options) for s in tqdm(list(dict.fromkeys(settings)), unit="setting")}
    report = {
        "settings": [{**asdict(s), **row} for s, row in rows.items()],
        "gradient": gradients(Setting(latent_dim=6, dataset_size=1_000), options.batches),
        "cost": costs(Setting(), options.batches),
    }
    print(_tables(report))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "estimators.json").write_text(json.dumps(report, indent=2) + "\n")
    figure(rows, options.largest).savefig(options.output / "estimators.png", dpi=80)
    return report


def posteriors(setting: Setting, generator: torch.Generator) -> Normal:
    """Posteriors of a data set whose dimensions depend on one another in pairs."""
    n, d = setting.dataset_size, setting.latent_dim
    sources, noise = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    half = d // 2
    sources[:, half : 2 * half] = 0.9 * sources[:, :half] + 0.44 * noise[:, :half]
    loc = math.sqrt(1 - setting.std**2) * sources
    return Normal(loc, torch.full_like(loc, setting.std), validate_args=False)


def measure(setting: Setting, options: argparse.Namespace) -> dict[str, Any]:
    """The exact terms, and each estimator's mean error and spread over batches, in nats."""
    generator = torch.Generator().manual_seed(0)
    q = posteriors(setting, generator)
    z = _draw(q, generator)
    exact = exact_decomposition(q, z)
    values: dict[str, list[list[float]]] = {name: [] for name in ESTIMATORS}
    n_batches = max(20, options.batches * 64 // max(64, setting.batch_size))
    for rows in _batches(setting, n_batches, generator):
        part = Normal(q.loc[rows], q.scale[rows], validate_args=False)
        for name, make in ESTIMATORS.items():
            values[name].append(torch.stack(make(setting.dataset_size)(part, z[rows])).tolist())
    result = {name: _errors(torch.tensor(v), torch.stack(exact)) for name, v in values.items()}
    ratio = _density_ratios(setting, q, options, generator)
    truth = torch.stack(exact)[1:2]
    result[RATIO] = {TERMS[1]: _errors(ratio[:, None], truth)[TERMS[0]]}
    return {"exact": dict(zip(TERMS, torch.stack(exact).tolist(), strict=True)), "error": result}


def _errors(values: Tensor, exact: Tensor) -> dict[str, dict[str, float]]:
    """Per term: the mean error, the standard deviation, and the root of the mean squared error."""
    error = values - exact
    rmse = error.square().mean(0).sqrt()
    columns = zip(TERMS, error.mean(0), error.std(0), rmse, strict=False)
    return {t: {"bias": b.item(), "std": s.item(), "rmse": r.item()} for t, b, s, r in columns}


def _density_ratios(
    setting: Setting, q: Normal, options: argparse.Namespace, generator: torch.Generator
) -> Tensor:
    """The total correlation of batches, by a discriminator that saw others before."""
    discriminator = Discriminator(setting.latent_dim, hidden_dim=256, n_hidden=3)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.9))
    codes = (
        _draw(Normal(q.loc[rows], q.scale[rows], validate_args=False), generator).float()
        for rows in _batches(setting, options.ratio_steps + options.batches, generator)
    )
    values = []
    for step, z in enumerate(codes):
        if step >= options.ratio_steps:
            with torch.no_grad():
                values.append(density_ratio(discriminator, z))
            continue
        loss = discriminator_loss(discriminator, z, permute_dims(z, generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack(values)


def gradients(setting: Setting, passes: int) -> dict[str, Any]:
    """The share of the true gradient in each estimator's average gradient: 1 is right, 0 is none.

    The gradient is that with respect to the means and the logarithms of the standard deviations of
    all posteriors; the share is the slope of the regression on the truth, an average of its own.
    """
    report = {}
    for std in (0.1, 0.25, 0.5):
        generator = torch.Generator().manual_seed(0)
        q = posteriors(replace(setting, std=std), generator)
        everything = torch.arange(setting.dataset_size)
        exact = MinibatchJackknife(setting.dataset_size)  # on the whole data set: the truth
        halves = [_mean_gradient(q, exact, [everything] * 40, generator) for _ in range(2)]
        norm = (halves[0] * halves[1]).sum(1)  # without the noise of either
        slopes = {}
        for name, make in ESTIMATORS.items():
            batches = _batches(
                setting, passes * setting.dataset_size // setting.batch_size, generator
            )
            estimate = _mean_gradient(q, make(setting.dataset_size), list(batches), generator)
            slope = (estimate * sum(halves)).sum(1) / (2 * norm)
            slopes[name] = dict(zip(TERMS, slope.tolist(), strict=True))
        report[str(std)] = slopes
    return report


def _mean_gradient(
    q: Normal, estimator: Estimator, batches: list[Tensor], generator: torch.Generator
) -> Tensor:
    """Per term, its gradient with respect to all means and log-deviations, averaged."""
    total = torch.zeros(len(TERMS), 2, *q.loc.shape, dtype=torch.float64)
    for rows in batches:
        loc, log_std = q.loc[rows].requires_grad_(), q.scale[rows].log().requires_grad_()
        part = Normal(loc, log_std.exp(), validate_args=False)
        for term, value in enumerate(estimator(part, _draw(part, generator))):
            moments = torch.autograd.grad(value, (loc, log_std), retain_graph=True)
            total[term, :, rows] += torch.stack(moments)
    return total.flatten(1) / len(batches)


def costs(setting: Setting, rounds: int) -> dict[str, float]:
    """Milliseconds of an estimate and its gradient, the median over interleaved rounds."""
    generator = torch.Generator().manual_seed(0)
    q = posteriors(replace(setting, dataset_size=setting.batch_size), generator)
    loc, scale = q.loc.float().requires_grad_(), q.scale.float()
    times: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    for _ in range(rounds):
        for name, make in ESTIMATORS.items():
            estimator = make(setting.dataset_size)
            begin = time.perf_counter()
            part = Normal(loc, scale, validate_args=False)
            estimator(part, _draw(part, generator)).total_correlation.backward()
            times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: statistics.median(values) for name, values in times.items()}


def figure(rows: dict[Setting, dict[str, Any]], largest: float = math.inf) -> Figure:
    """A row for each term, a column for each sweep: the bias, with bars of one deviation."""
    result = Figure(figsize=(13, 8), layout="constrained")
    axes = result.subplots(len(TERMS), len(SWEEPS), sharex="col", sharey="row")
    for column, swept in enumerate(SWEEPS):
        points = [(value, rows[s]["error"]) for name, value, s in _sweeps(largest) if name == swept]
        for row, term in enumerate(TERMS):
            ax = axes[row, column]
            for colour, name in zip(COLOURS, (*ESTIMATORS, RATIO), strict=True):
                errors = [(value, e[name][term]) for value, e in points if term in e[name]]
                xs = [value for value, _ in errors]
                ys, bars = ([e[key] for _, e in errors] for key in ("bias", "std"))
                ax.errorbar(xs, ys, bars, color=colour, marker="o", ms=4, capsize=2, label=name)
            ax.axhline(0, color="0.4", lw=0.8)
            ax.set_yscale("symlog", linthresh=1)
            ax.set_xscale("log")
            ax.set_xticks([v for v, _ in points], [f"{v:g}" for v, _ in points])
            ax.minorticks_off()
            if column == 0:
                ax.set_ylabel(f"{LABELS[term]}\nerror, nats")
            if row == len(TERMS) - 1:
                ax.set_xlabel(
                    swept.replace("_", " ").replace("std", "standard deviation of q(z|x)")
                )
    handles, labels = axes[1, 0].get_legend_handles_labels()
    result.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return result


def _sweeps(largest: float) -> Iterator[tuple[str, float, Setting]]:
    for name, values in SWEEPS.items():
        for value in values:
            if value <= largest:
                changed: dict[str, Any] = {name: value}
                yield name, value, replace(Setting(), **changed)


def _batches(setting: Setting, n: int, generator: torch.Generator) -> Iterator[Tensor]:
    for _ in range(n):
        yield torch.randperm(setting.dataset_size, generator=generator)[: setting.batch_size]


def _draw(q: Normal, generator: torch.Generator) -> Tensor:
    return q.loc + q.scale * torch.randn(q.loc.shape, generator=generator, dtype=q.loc.dtype)


def _tables(report: dict[str, Any]) -> str:
    lines = [f"{'error in nats: bias ± std':>44}" + "".join(f"{t:>24}" for t in TERMS)]
    for row in report["settings"]:
        sizes = (f"D={row['latent_dim']}", f"M={row['batch_size']}", f"N={row['dataset_size']}")
        lines.append(f"{' '.join(sizes)} std={row['std']}")
        exact = "".join(f"{row['exact'][t]:>24.2f}" for t in TERMS)
        lines.append(f"{'exact':>44}{exact}")
        for name, errors in row["error"].items():
            cells = [
                f"{errors[t]['bias']:+.2f} ± {errors[t]['std']:.2f}" if t in errors else ""
                for t in TERMS
            ]
            lines.append(f"{name:>44}" + "".join(f"{cell:>24}" for cell in cells))
    lines.append("share of the true gradient")
    for std, slopes in report["gradient"].items():
        for name, slope in slopes.items():
            shares = "".join(f"{slope[t]:>24.2f}" for t in TERMS)
            lines.append(f"{f'std={std} {name}':>44}{shares}")
    lines.append("milliseconds of an estimate with its gradient, D=10, M=64")
    lines += [f"{name:>44}{value:>24.2f}" for name, value in report["cost"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
