"""Train a FactorVAE on sprites in a plain PyTorch loop: any other loss fits in its place.

python examples/plain_loop.py --steps 5000
"""

import argparse
from collections.abc import Sequence

import torch

from disvae import BurgessVAE, FactorVAELoss
from disvae.data import BatchSource, Sprites


def main(argv: Sequence[str] | None = None) -> None:
    """Train, and print the terms of the loss now and then."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--print-every", type=int, default=100)
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    source = BatchSource(Sprites(), args.batch_size, seed=0)
    model = BurgessVAE(image_shape=(1, 64, 64), latent_dim=10)
    criterion = FactorVAELoss(latent_dim=10, gamma=35.0)
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr=1e-4))

    for step in range(args.steps):
        output = criterion(model, source.batch(step), step)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        if step % args.print_every == 0 or step == args.steps - 1:
            terms = (f"{name} {value.item():.2f}" for name, value in output.terms.items())
            print(f"step {step}:", ", ".join(terms))


if __name__ == "__main__":
    main()
