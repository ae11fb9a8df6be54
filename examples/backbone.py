"""Train a VAE whose encoder is a torchvision network, with a decoder of the library.

    python examples/backbone.py --steps 2000

Any module from images to 2·latent_dim numbers is an encoder. With --pretrained the ResNet starts
from torchvision's ImageNet weights, which are downloaded on first use (45 MB).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import resnet18
from torchvision.transforms.functional import normalize

from disvae import VAE, Trainer, VAELoss
from disvae.data import Sprites, to_float
from disvae.models import ConvDecoder
from disvae.plots import reconstruction_figure

# What torchvision's ImageNet weights expect, in each of the three channels.
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class ResNetEncoder(nn.Module):
    """A ResNet-18 from images of one channel to the means and log-variances of the posterior.

    Args:
        latent_dim: number of dimensions of the code.
        weights: torchvision's name of pretrained weights, or None for fresh ones.
    """

    def __init__(self, latent_dim: int, weights: str | None) -> None:
        super().__init__()
        self.backbone = resnet18(weights=weights)
        self.backbone.fc = nn.Linear(self.backbone.fc.in_features, 2 * latent_dim)

    def forward(self, x: Tensor) -> Tensor:
        """The moments of each image, (batch, 2·latent_dim)."""
        return self.backbone(normalize(x.expand(-1, 3, -1, -1), MEAN, STD))


def main(argv: Sequence[str] | None = None) -> None:
    """Train, print the last terms, draw reconstructions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pretrained", action="store_true", help="download ImageNet weights")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("runs/backbone"))
    args = parser.parse_args(argv)

    data = Sprites()
    torch.manual_seed(0)
    encoder = ResNetEncoder(latent_dim=10, weights="DEFAULT" if args.pretrained else None)
    decoder = ConvDecoder(data.image_shape, latent_dim=10, channels=[32] * 4, hidden=[256, 256])
    model = VAE(encoder, decoder, latent_dim=10)
    trainer = Trainer(model, VAELoss(), lr=5e-4, batch_size=args.batch_size, run_dir=args.output)
    for name, value in trainer.fit(data, steps=args.steps).items():
        print(f"{name:>20} {value:10.2f}")

    model.eval()  # for the ResNet's BatchNorm
    points = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[:10]
    x = to_float(data.images(points), data.max_value)
    reconstruction_figure(model, x).savefig(args.output / "reconstructions.png")


if __name__ == "__main__":
    main()
