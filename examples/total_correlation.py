"""Compare FactorVAE's estimate of the total correlation with the true one as it trains.

    python examples/total_correlation.py --gammas 1 10 40 --output runs/total_correlation

Figure 7 of Disentangling by Factorising, Kim and Mnih 2018, https://arxiv.org/abs/1802.05983, on a
random subset of the sprites. The true value is that of the aggregate posterior of all images of the
subset, averaged over some codes; the estimate is the loss's own, by the discriminator.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.figure import Figure

from disvae import BurgessVAE, FactorVAELoss, Trainer
from disvae.data import ImageDataset, Sprites, random_subset
from disvae.training import decompose_dataset

# Okabe and Ito's colours, which colour-blind readers can tell apart: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


class Point(NamedTuple):
    """The total correlation after some steps of training with one weight, in nats per image.

    Attributes:
        gamma: the weight of the total correlation.
        step: training steps taken.
        true: under the exact aggregate posterior of the data set.
        standard_error: of ``true``, from the spread between the codes.
        estimate: the discriminator's, averaged over the steps since the point before.
    """

    gamma: float
    step: int
    true: float
    standard_error: float
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
        draws = torch.Generator().manual_seed(0)  # the same codes each time, up to the posteriors
        measured = decompose_dataset(model, data, n_codes, generator=draws, progress=False)
        yield Point(
            gamma,
            step,
            measured.mean.total_correlation.item(),
            measured.standard_error.total_correlation.item(),
            means["total_correlation"],
        )


def figure(points: Sequence[Point]) -> Figure:
    """The true total correlation with its standard error, beside the discriminator's estimate."""
    result = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = result.subplots(1, 2, sharex=True, sharey=True)
    colours = iter(COLOURS * len(points))
    for gamma, group in groupby(points, key=lambda point: point.gamma):
        colour = next(colours)
        _, steps, true, errors, estimates = zip(*group, strict=True)
        low = [value - error for value, error in zip(true, errors, strict=True)]
        high = [value + error for value, error in zip(true, errors, strict=True)]
        left.plot(steps, true, color=colour, label=f"γ = {gamma:g}")
        left.fill_between(steps, low, high, color=colour, alpha=0.3, linewidth=0)
        right.plot(steps, estimates, color=colour)
    left.set(title="true", ylabel="total correlation, nats per image")
    right.set(title="estimate of the discriminator")
    for axes in (left, right):
        axes.set_xlabel("training steps")
        axes.grid(alpha=0.3)
    left.legend()
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
    print(f"{'gamma':>6} {'step':>6} {'true':>8} {'± s.e.':>8} {'estimate':>8}")
    for gamma in args.gammas:
        for point in train(data, gamma, times, args.batch_size, args.codes):
            points.append(point)
            print("{:6g} {:6d} {:8.3f} {:8.3f} {:8.3f}".format(*point), flush=True)

    args.output.mkdir(parents=True, exist_ok=True)
    records = [point._asdict() for point in points]
    (args.output / "total_correlation.json").write_text(json.dumps(records, indent=2) + "\n")
    figure(points).savefig(args.output / "total_correlation.png", dpi=100)


if __name__ == "__main__":
    main()
