"""A loss of one's own: the ELBO with free bits, checked against the contract and trained.

python examples/own_loss.py --free-nats 0.5
"""

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.distributions import Distribution, Normal

from disvae import BurgessVAE, ELBOLoss, Trainer
from disvae.data import Sprites
from disvae.divergence import kl_per_dimension
from disvae.testing import check_loss


class FreeBitsLoss(ELBOLoss):
    """The ELBO whose KL costs nothing up to ``free_nats`` nats in each dimension.

    Args:
        free_nats: what a dimension may carry at no cost, in nats per image.

    Reference:
        Improved Variational Inference with Inverse Autoregressive Flow, Kingma et al. 2016,
        https://arxiv.org/abs/1606.04934, "free bits".
    """

    def __init__(self, free_nats: float = 0.5) -> None:
        super().__init__()
        self.free_nats = free_nats

    def regularizer(
        self, posterior: Normal, z: Tensor, prior: Distribution, step: int | Tensor | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The KL of each dimension, but at least ``free_nats``."""
        kl = kl_per_dimension(posterior, prior).mean(0)  # (latent_dim,)
        in_use = (kl > self.free_nats).sum()
        return kl.clamp(min=self.free_nats).sum(), {"kl": kl.sum(), "dimensions_in_use": in_use}


def main(argv: Sequence[str] | None = None) -> None:
    """Check the loss, train with it, and print the last terms."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--free-nats", type=float, default=0.5)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args(argv)

    criterion = FreeBitsLoss(args.free_nats)
    check_loss(criterion)

    torch.manual_seed(0)
    model = BurgessVAE(image_shape=(1, 64, 64), latent_dim=10)
    trainer = Trainer(model, criterion, lr=5e-4, batch_size=args.batch_size)
    for name, value in trainer.fit(Sprites(), steps=args.steps).items():
        print(f"{name:>20} {value:10.2f}")


if __name__ == "__main__":
    main()
