"""Compare FactorVAE's estimate of the total correlation with the true one as it trains.

    python examples/total_correlation.py --gammas 1 10 40 --output runs/total_correlation

Figure 7 of Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, on a
random subset of the sprites. The true value is that of the aggregate posterior of all images of the
subset, averaged over some codes; the estimate is the loss's own, by the discriminator.

Much of the true value may come of the set being finite: where its images are told apart, their
aggregate posterior is a mixture of separate bumps, which is not factorial even if the factors
behind them are independent. As a control the same is measured after each dimension of the
posteriors has been permuted over the images: the marginals stay, the dependence goes, and what is
left is what as many images with independent dimensions would read.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import cycle, groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.distributions import Normal

from disvae import BurgessVAE, FactorVAELoss, Trainer
from disvae.data import ImageDataset, Sprites, random_subset
from disvae.divergence import measure_decomposition
from disvae.training import encode_posteriors

# Okabe and Ito's colours, which colour-blind readers can tell apart: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


class Point(NamedTuple):
    """The total correlation after some steps of training with one weight, in nats per image.

    Attributes:
        gamma: the weight of the total correlation.
        step: training steps taken.
        true: under the exact aggregate posterior of the data set.
        standard_error: of ``true``, from the spread between the codes.
        permuted: as ``true``, with each dimension of the posteriors permuted over the images.
        estimate: the discriminator's, averaged over the steps since the point before.
    """

    gamma: float
    step: int
    true: float
    standard_error: float
    permuted: float
    estimate: float


def train(
    data: ImageDataset, gamma: float, times: Sequence[int], batch_size: int, n_codes: int
) -> Iterator[Point]:
    """Train a model with one weight and stop at each of the times to measure."""
    torch.manual_seed(0)
    model = BurgessVAE(data.image_shape, latent_dim=10)
    criterion = FactorVAELoss(latent_dim=10, gamma=gamma, discriminator_lr=1e-4)
    trainer = Trainer(
        model,
        criterion,
        lr=1e-3,
        batch_size=batch_size,
        precision="bf16-mixed",
        log_every=times[-1],  # no line of the log but at the end of each call of fit
        progress=False,
    )
    for step in times:
        means = trainer.fit(data, steps=step)
        posterior = encode_posteriors(model, data, progress=False)
        true, error = measure(posterior, n_codes)
        permuted, _ = measure(permute(posterior), n_codes)
        yield Point(gamma, step, true, error, permuted, means["total_correlation"])


def measure(posterior: Normal, n_codes: int) -> tuple[float, float]:
    """The total correlation of the aggregate posterior, and its standard error."""
    draws = torch.Generator().manual_seed(0)  # the same each time
    mean, error, *_ = measure_decomposition(posterior, n_codes, generator=draws, progress=False)
    return mean.total_correlation.item(), error.total_correlation.item()


def permute(posterior: Normal) -> Normal:
    """The posteriors with each dimension permuted over the images, independently of the others."""
    noise = torch.rand(posterior.loc.shape, generator=torch.Generator().manual_seed(1))
    order = noise.argsort(dim=0)
    return Normal(posterior.loc.gather(0, order), posterior.scale.gather(0, order))


def figure(points: Sequence[Point]) -> Figure:
    """The true total correlation and its control, beside the discriminator's estimate."""
    result = Figure(figsize=(8, 4), layout="constrained")
    left, right = result.subplots(1, 2, sharex=True, sharey=True)
    groups = groupby(points, key=lambda point: point.gamma)
    for (gamma, group), colour in zip(groups, cycle(COLOURS), strict=False):
        _, steps, true, errors, permuted, estimates = np.array(list(group)).T
        left.plot(steps, true, color=colour, label=f"γ = {gamma:g}")
        left.fill_between(steps, true - errors, true + errors, color=colour, alpha=0.3, linewidth=0)
        left.plot(steps, permuted, color=colour, linestyle=":")
        right.plot(steps, estimates, color=colour)
    left.plot([], color="grey", linestyle=":", label="dimensions permuted")
    left.set(title="true", ylabel="total correlation, nats per image")
    right.set(title="estimate of the discriminator")
    for axes in (left, right):
        axes.set_xlabel("training steps")
        axes.grid(alpha=0.3)
    result.legend(loc="outside lower center", ncols=8)
    return result


def main(argv: Sequence[str] | None = None) -> None:
    """Train with each weight, print the points, write them and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gammas", type=float, nargs="+", default=[1.0, 10.0, 40.0])
    parser.add_argument("--steps", type=int, default=3_000, help="training steps with each gamma")
    parser.add_argument("--every", type=int, default=250, help="steps between two points")
    parser.add_argument("--codes", type=int, default=2_000, help="codes of the true value")
    parser.add_argument("--images", type=int, default=20_000, help="images to train on")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--output", type=Path, default=Path("runs/total_correlation"))
    args = parser.parse_args(argv)

    data = random_subset(Sprites(), args.images, seed=0)
    times = [*range(args.every, args.steps, args.every), args.steps]
    points = []
    print(f"{'gamma':>6} {'step':>6} {'true':>8} {'± s.e.':>8} {'permuted':>8} {'estimate':>8}")
    for gamma in args.gammas:
        for point in train(data, gamma, times, args.batch_size, args.codes):
            points.append(point)
            print("{:6g} {:6d} {:8.3f} {:8.3f} {:8.3f} {:8.3f}".format(*point), flush=True)

    args.output.mkdir(parents=True, exist_ok=True)
    records = [point._asdict() for point in points]
    (args.output / "total_correlation.json").write_text(json.dumps(records, indent=2) + "\n")
    figure(points).savefig(args.output / "total_correlation.png", dpi=100)


if __name__ == "__main__":
    main()
