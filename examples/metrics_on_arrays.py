"""Score codes that any program made: perfect, rotated and random ones, with known factors.

python examples/metrics_on_arrays.py --points 5000
"""

import argparse
from collections.abc import Sequence

import numpy as np

from disvae.metrics import evaluate

NAMES = ["shape", "scale", "x", "y"]
SIZES = [3, 6, 16, 16]


def main(argv: Sequence[str] | None = None) -> None:
    """Print one table of scores for each kind of code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=5_000, help="samples to score")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    rng = np.random.default_rng(args.seed)
    factors = rng.integers(0, SIZES, size=(args.points, len(SIZES)))
    perfect = (factors - factors.mean(0)) / factors.std(0)
    a, b, c, d = perfect.T
    codes = {
        "perfect": perfect,
        "rotated by 45 degrees": np.stack([a + b, a - b, c + d, c - d], axis=1),
        "random": rng.normal(size=perfect.shape),
    }
    for name, z in codes.items():
        print(f"{name}\n{evaluate(z, factors, seed=args.seed, names=NAMES)}\n")


if __name__ == "__main__":
    main()
