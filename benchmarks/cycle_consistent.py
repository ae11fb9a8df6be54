"""What each part of a cycle-consistent code tells of the digit in an image: Table 1 of its paper.

    python benchmarks/cycle_consistent.py --root FOLDER --output runs/cycle-consistent

On MNIST's 10,000 test images, 8,000 to train and 2,000 to test, several seeds: the accuracy of a
classifier of two hidden layers that learns the digit from one part of the codes of the training
images. The code's z is what the decoder gets, a draw from q(z|x). The posterior's mean is given
beside it: where a dimension is unused, its mean may still differ from digit to digit by a hundredth
of its noise, which costs no nats and moves no pixel, but which a classifier can read.

A run that was killed goes on; swapped codes, draws from the prior with the s of an image, and both
parts by t-SNE are drawn of the first seed.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.distributions import Normal

from disvae import LossOutput, Trainer
from disvae.data import MNIST, ImageDataset, LabelPairs, split
from disvae.data.encode import encode_posteriors
from disvae.losses import CycleConsistentLoss, Loss
from disvae.metrics.downstream import chance, predict
from disvae.models import MLPVAE, ConvEncoder
from disvae.plots import embedding_figure, swap_figure, variations_figure
from disvae.training import Run, train_ensemble

PUBLISHED = {"z": 0.176, "s": 0.984}  # 60,000 training images
Z, S = 8, 16
PARTS = {"z": slice(0, Z), "z, mean": slice(0, Z), "s": slice(Z, Z + S)}


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Train, print the table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--root", type=Path, help="folder of MNIST's files; as for disvae.data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=512, help="units of both hidden layers")
    parser.add_argument("--epochs", type=int, default=8, help="of the classifier of pixels")
    parser.add_argument("--output", type=Path, default=Path("runs/cycle-consistent"))
    options = parser.parse_args(argv)
    parts = split(MNIST(options.root, split="test"), (0.8, 0.2), seed=0)
    labels = [_labels(part) for part in parts]
    runs = train(parts[0], options)
    pixels = classify_pixels(parts, labels, options)
    rows = [measure(run, parts, labels) for run in runs]
    report = {
        "steps": options.steps,
        "chance": chance(labels[1]),
        "pixels": pixels,
        "published": PUBLISHED,
        "seeds": rows,
        "mean": {name: np.mean([row[name] for row in rows], axis=0).tolist() for name in PARTS},
    }
    _print(report)
    draw(runs[0], parts[1], labels[1], options.output)
    (options.output / "cycle_consistent.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def train(data: ImageDataset, options: argparse.Namespace) -> list[Run]:
    """The runs, a seed each."""
    trainers = []
    for seed in range(options.seeds):
        torch.manual_seed(seed)
        model = MLPVAE((1, 28, 28), latent_dim=Z + S, hidden=[options.hidden, options.hidden])
        criterion = CycleConsistentLoss(specified=S, beta=3.0, reverse=30.0)
        folder = options.output / f"seed-{seed}"
        settings: dict[str, Any] = {"batch_size": options.batch_size, "accelerator": "cpu"}
        trainers.append(Trainer(model, criterion, lr=1e-3, seed=seed, run_dir=folder, **settings))
    return train_ensemble(trainers, LabelPairs(data, options.batch_size), options.steps)


def measure(
    run: Run, parts: Sequence[ImageDataset], labels: Sequence[NDArray[np.int64]]
) -> dict[str, list[float]]:
    """The accuracy from each part of the code, on the training and on the test images."""
    posteriors = [encode_posteriors(run.model(), part, progress=False) for part in parts]
    draws = [_draw(q) for q in posteriors]
    found = {}
    for name, columns in PARTS.items():
        codes = draws if name == "z" else [q.loc for q in posteriors]
        train_x, test_x = (code[:, columns].double().numpy() for code in codes)
        mean, std = train_x.mean(0), train_x.std(0)
        train_x, test_x = ((x - mean) / std for x in (train_x, test_x))
        both = predict(train_x, labels[0], np.concatenate([train_x, test_x]), "mlp", seed=0)
        found[name] = _accuracies(both, labels)
    return found


class Classification(Loss):
    """The cross-entropy of labels, to train a classifier of pixels with the same trainer."""

    def forward(self, model: Any, batch: Any, step: Any = None) -> LossOutput:
        """The loss of images and their labels."""
        x, label = batch
        loss = nn.functional.cross_entropy(model(x), label)
        return LossOutput(loss, {"objective": loss.detach()})


class Labelled:
    """Batches of images with their labels, drawn with replacement."""

    def __init__(self, data: ImageDataset, labels: NDArray[np.int64], batch_size: int) -> None:
        self._x = data.floats(torch.arange(len(data)))
        self._labels, self._batch_size = torch.from_numpy(labels), batch_size

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch of a step."""
        n = len(self._x)
        drawn = torch.randint(n, (self._batch_size,), generator=torch.Generator().manual_seed(step))
        return self._x[drawn], self._labels[drawn]


def classify_pixels(
    parts: Sequence[ImageDataset],
    labels: Sequence[NDArray[np.int64]],
    options: argparse.Namespace,
) -> list[float]:
    """The accuracy of a convolutional classifier of the images themselves."""
    torch.manual_seed(0)
    model = ConvEncoder((1, 28, 28), 10, [32, 32, 32], hidden=[256, 256])
    steps = max(1, options.epochs * len(parts[0]) // options.batch_size)
    settings: dict[str, Any] = {"accelerator": "cpu", "batch_size": options.batch_size}
    batches = Labelled(parts[0], labels[0], options.batch_size)
    Trainer(model, Classification(), lr=1e-3, **settings).fit(batches, steps)
    model.eval()
    with torch.no_grad():
        logits = [
            model(part.floats(some))
            for part in parts
            for some in torch.arange(len(part)).split(500)
        ]
    return _accuracies(torch.cat(logits).argmax(1).numpy(), labels)


def draw(run: Run, data: ImageDataset, labels: NDArray[np.int64], folder: Path) -> None:
    """The pictures of a run, on test images."""
    model, s = run.model(), range(Z, Z + S)
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in np.unique(labels)]
    x = data.floats(torch.tensor(first))
    others = data.floats(torch.arange(8))
    names = ("s", "z")
    swap_figure(model, x, others, s, names).savefig(folder / "swaps.png")
    variations_figure(model, x, s, n=8, part="s").savefig(folder / "variations.png")
    codes = _draw(encode_posteriors(model, data, progress=False))
    panels = {"z": range(Z), "s": s}
    figure = embedding_figure(
        codes.numpy(), labels, "digit", parts=panels, neighbours=min(30, len(codes) // 3)
    )
    figure.savefig(folder / "embedding.png")


def _draw(posterior: Normal) -> torch.Tensor:
    """Codes: draws in z, means in s, which is not random."""
    noise = torch.randn(posterior.loc.shape, generator=torch.Generator().manual_seed(0))
    codes: torch.Tensor = posterior.loc + posterior.scale * noise
    codes[:, Z:] = posterior.loc[:, Z:]
    return codes


def _labels(data: ImageDataset) -> NDArray[np.int64]:
    return np.array([int(data.targets(i)) for i in range(len(data))])


def _accuracies(predicted: NDArray[np.int64], labels: Sequence[NDArray[np.int64]]) -> list[float]:
    hits = predicted == np.concatenate(labels)
    n = len(labels[0])
    return [float(hits[:n].mean()), float(hits[n:].mean())]


def _print(report: dict[str, Any]) -> None:
    print(f"\n{'accuracy from':16} {'train':>7} {'test':>7}")
    for seed, row in enumerate(report["seeds"]):
        for name, (train_share, test_share) in row.items():
            print(f"{f'{name}, seed {seed}':16} {train_share:7.1%} {test_share:7.1%}")
    for name, (train_share, test_share) in report["mean"].items():
        print(f"{f'{name}, all':16} {train_share:7.1%} {test_share:7.1%}")
    train_share, test_share = report["pixels"]
    print(f"{'pixels':16} {train_share:7.1%} {test_share:7.1%}")
    print(f"{'chance':16} {'':7} {report['chance']:7.1%}")
    for name, share in report["published"].items():
        print(f"{f'{name}, published':16} {'':7} {share:7.1%}")


if __name__ == "__main__":
    main()
