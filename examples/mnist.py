"""Train a β-TCVAE on handwritten digits: real images, which have labels but no factors.

python examples/mnist.py --root data/mnist --steps 5000
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from disvae import BetaTCVAELoss, BurgessVAE, Trainer
from disvae.data import MNIST, to_float
from disvae.plots import mean_kl, reconstruction_figure, traversal_figure


def main(argv: Sequence[str] | None = None) -> None:
    """Train, print the last terms, draw reconstructions and traversals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of the IDX files")
    parser.add_argument("--split", default="train", choices=["train", "test"])
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("runs/mnist"))
    args = parser.parse_args(argv)

    data = MNIST(args.root, args.split)
    torch.manual_seed(0)
    model = BurgessVAE(data.image_shape, latent_dim=10)
    criterion = BetaTCVAELoss(dataset_size=len(data), beta=6.0)
    trainer = Trainer(model, criterion, lr=5e-4, batch_size=args.batch_size, run_dir=args.output)
    for name, value in trainer.fit(data, steps=args.steps).items():
        print(f"{name:>20} {value:10.2f}")

    model.eval()
    x = to_float(data.images(torch.arange(1_000)), data.max_value)
    reconstruction_figure(model, x[:10]).savefig(args.output / "reconstructions.png")
    traversal_figure(model, x[0], mean_kl(model, x)).savefig(args.output / "traversal.png")


if __name__ == "__main__":
    main()
