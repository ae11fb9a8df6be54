"""Score codes that any program made: perfect, rotated and random ones, with known factors.

    python examples/metrics_on_arrays.py --points 3000 --output runs/metrics

Prints every metric of each, and draws them: bars with intervals of 95 %, what each dimension of the
rotated codes knows of each factor, and how important DCI finds it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from disvae.metrics import dci, evaluate, mig
from disvae.plots import importance_figure, information_figure, latents_figure, summary_figure

NAMES = ["shape", "scale", "x", "y"]
SIZES = [3, 6, 16, 16]


def main(argv: Sequence[str] | None = None) -> None:
    """Print one table of scores for each kind of code, and draw them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=3_000, help="samples to score")
    parser.add_argument("--repeats", type=int, default=10, help="halves for standard errors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/metrics"))
    args = parser.parse_args(argv)

    rng = np.random.default_rng(args.seed)
    factors = rng.integers(0, SIZES, size=(args.points, len(SIZES)))
    perfect = (factors - factors.mean(0)) / factors.std(0)
    noise = rng.normal(size=perfect.shape)
    a, b, c, d = perfect.T
    codes = {
        "perfect": perfect + 0.05 * noise,
        "x and y rotated": np.stack([a, b, c + d, c - d], axis=1) + 0.2 * noise,
        "random": noise,
    }
    scores = {}
    for name, z in codes.items():
        scores[name] = evaluate(
            z, factors, seed=args.seed, names=NAMES, repeats=args.repeats, progress=True
        )
        print(f"{name}\n{scores[name]}\n")

    rotated = codes["x and y rotated"]
    args.output.mkdir(parents=True, exist_ok=True)
    figures = {
        "summary": summary_figure(scores),
        "information": information_figure(mig(rotated, factors, names=NAMES)),
        "importance": importance_figure(dci(rotated, factors, names=NAMES)),
        "latents": latents_figure(rotated, factors, NAMES),
    }
    for name, figure in figures.items():
        figure.savefig(args.output / f"{name}.png")
    print(f"figures: {args.output}")


if __name__ == "__main__":
    main()
