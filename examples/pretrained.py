"""Read the codes of a model that comes with the package: what each dimension knows of sprites.

python examples/pretrained.py --name sprites-beta-tcvae
"""

import argparse
from collections.abc import Sequence

from disvae import load_pretrained
from disvae.data import Sprites
from disvae.metrics import evaluate_model
from disvae.metrics.factor_rows import factor_rows
from disvae.pretrained import pretrained_names


def main(argv: Sequence[str] | None = None) -> None:
    """Score the model, and print the dimension that knows most of each factor."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="sprites-beta-tcvae", choices=pretrained_names())
    parser.add_argument("--points", type=int, default=10_000, help="images to score on")
    args = parser.parse_args(argv)

    model = load_pretrained(args.name)
    metrics = ["FactorVAE score", "MIG"]
    scores = evaluate_model(model, Sprites(size=32), n=args.points, metrics=metrics)
    for score in scores.values():
        print(score)
    for factor, row in factor_rows(scores["MIG"]).items():
        print(f"{factor}: z{row.dimension} knows {row.share:.0%} of it")


if __name__ == "__main__":
    main()
