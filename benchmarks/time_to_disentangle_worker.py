"""Worker of time_to_disentangle.py: one side of the comparison, trained a slice at a time.

It reads commands from its standard input, and answers each with a line of JSON:

    train SECONDS    train for so long, but for one step or more: steps, images, seconds in all
    score FILE       write the posterior means of the held images: reconstruction, nats per image
    settings         the settings of the side

The peer's package has the name of ours, so each side needs a process of its own.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT_DIM = 10
CHUNK = 1000  # held images encoded at once


# A constant, or points (step, value) with straight lines between them.
Points = float | tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Settings:
    """Settings of one loss.

    Attributes:
        weight: β of β-VAE H and β-TCVAE, γ of FactorVAE and β-VAE B.
        alpha: weight of β-TCVAE's mutual information.
        gamma: weight of its dimension-wise KL.
        capacity: C of β-VAE B, in nats.
        lr: learning rate of Adam.
        decay: share of the steps, at the end, over which the learning rate falls.
        final_lr: what it falls to, as a share.
        batch_size: images per step.
        discriminator: width and number of hidden layers of FactorVAE's discriminator.
        discriminator_lr: its learning rate.
    """

    weight: Points = 1.0
    alpha: Points = 1.0
    gamma: Points = 1.0
    capacity: Points = 25.0
    lr: float = 1e-3
    decay: float = 0.3
    final_lr: float = 0.02
    batch_size: int = 64
    discriminator: tuple[int, int] = (256, 4)
    discriminator_lr: float = 1e-3


# Those of VAE, β-TCVAE and FactorVAE are the recipes sprites_vae, sprites_beta_tcvae and
# sprites_factor_vae, but FactorVAE has the network that all have here.
OURS = {
    "vae": Settings(),
    "beta_vae_h": Settings(weight=4.0),
    "beta_vae_b": Settings(weight=100.0, capacity=((0, 0.0), (1750, 25.0))),
    "factor_vae": Settings(weight=20.0),
    "beta_tcvae": Settings(
        alpha=((500, 4.0), (900, 1.0)),
        weight=((500, 60.0), (900, 10.0), (1200, 10.0), (1800, 3.0), (3500, 2.0)),
        gamma=((900, 1.0), (1200, 0.1)),
    ),
}

# The dSprites experiments in the peer's hyperparam.ini.
PEER_NAMES = {
    "vae": "VAE",
    "beta_vae_h": "betaH",
    "beta_vae_b": "betaB",
    "factor_vae": "factor",
    "beta_tcvae": "btcvae",
}
PEER_COMMON: dict[str, Any] = {
    "lr": 5e-4, "batch_size": 64, "reg_anneal": 10_000, "rec_dist": "bernoulli", "betaH_B": 4,
    "betaB_initC": 0, "betaB_finC": 25, "betaB_G": 100, "factor_G": 6.4, "lr_disc": 1e-4,
    "btcvae_A": 1, "btcvae_B": 6.4, "btcvae_G": 1,
}  # fmt: skip
PEER = {
    "vae": PEER_COMMON,
    "beta_vae_h": PEER_COMMON,
    "beta_vae_b": {**PEER_COMMON, "lr": 1e-3, "reg_anneal": 100_000},
    "factor_vae": {**PEER_COMMON, "lr": 1e-4},
    "beta_tcvae": PEER_COMMON,
}
# The peer with our learning rate, and constant weights near ours: it has no others.
PEER_OURS = {
    name: {**PEER_COMMON, "lr": 1e-3, "reg_anneal": 0, "factor_G": 20, "btcvae_B": 10}
    for name in PEER
} | {"beta_vae_b": {**PEER_COMMON, "lr": 1e-3, "reg_anneal": 1750}}


@dataclass(frozen=True)
class Side:
    """Model in training.

    Attributes:
        step: take the next training step.
        model: the network, in training mode.
        encode: compute posterior means and the nats to reconstruct all images together from them.
        batch_size: images that a step takes.
        settings: for the report.
    """

    step: Callable[[], object]
    model: nn.Module
    encode: Callable[[Tensor], tuple[Tensor, Tensor]]
    batch_size: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class Images:
    """Images as bytes.

    Attributes:
        train: to train on.
        held: to score on.
        max_value: the byte that stands for 1.0.
    """

    train: np.ndarray
    held: np.ndarray
    max_value: int

    def batch(self, array: np.ndarray) -> Tensor:
        """Convert bytes to floats in [0, 1]."""
        return torch.from_numpy(array).float() / self.max_value


def main(argv: list[str] | None = None) -> None:
    """Make the side, and answer commands until there are no more."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("side", choices=["ours", "peer", "peer_ours"])
    parser.add_argument("--loss", required=True, choices=OURS)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True, help="of our side")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, required=True, help="a file of images (.npz)")
    parser.add_argument("--peer", type=Path)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    with np.load(options.data) as file:
        images = Images(file["train"], file["held"], int(file["max_value"]))
    torch.manual_seed(options.seed)
    side = ours(images, options) if options.side == "ours" else peer(images, options)
    # Other processes do not lengthen CPU time, but that of several threads adds up.
    clock = time.process_time if options.threads == 1 else time.perf_counter
    progress = Progress(side, clock)
    answers: dict[str, Callable[[str], dict[str, Any]]] = {
        "train": lambda seconds: progress.train(float(seconds)),
        "score": lambda file: score(side, images, Path(file)),
        "settings": lambda _: side.settings,
    }
    for line in sys.stdin:
        word, _, argument = line.strip().partition(" ")
        print(json.dumps(answers[word](argument)), flush=True)


class Progress:
    """Steps and seconds of training so far.

    Args:
        side: the model that is trained.
        clock: seconds since some moment.
    """

    def __init__(self, side: Side, clock: Callable[[], float]) -> None:
        self._side, self._clock = side, clock
        self._steps, self._seconds, self._finished = 0, 0.0, False

    def train(self, seconds: float) -> dict[str, Any]:
        """Train for so long, but for one step or more."""
        start = self._clock()
        elapsed = 0.0
        while not self._finished:
            try:
                self._side.step()
                self._steps += 1
            except StopIteration:
                self._finished = True
            elapsed = self._clock() - start
            if elapsed >= seconds:
                break
        self._seconds += elapsed
        return {
            "steps": self._steps,
            "images": self._steps * self._side.batch_size,
            "seconds": self._seconds,
            "finished": self._finished,
        }


@torch.no_grad()
def score(side: Side, images: Images, file: Path) -> dict[str, float]:
    """Write the posterior means of the held images, and return their reconstruction error."""
    side.model.eval()
    means, nats = [], 0.0
    for start in range(0, len(images.held), CHUNK):
        mean, error = side.encode(images.batch(images.held[start : start + CHUNK]))
        means.append(mean)
        nats += float(error)
    side.model.train()
    np.save(file, torch.cat(means).numpy())
    return {"reconstruction": nats / len(images.held)}


def ours(images: Images, options: argparse.Namespace) -> Side:
    """Prepare the trainer of this library, for all of its steps."""
    import disvae
    from disvae.data import ImageArray
    from disvae.schedules import Piecewise
    from disvae.training.stopping import StopRequest

    settings, steps = OURS[options.loss], options.steps
    decay_from = min(round((1 - settings.decay) * steps), steps - 1)
    data = ImageArray(images.train, max_value=images.max_value)
    model = disvae.BurgessVAE(data.image_shape, LATENT_DIM)
    trainer = disvae.Trainer(
        model,
        our_loss(options.loss, len(data)),
        lr=settings.lr,
        batch_size=settings.batch_size,
        seed=options.seed,
        precision="32-true",
        accelerator="cpu",
        threads=options.threads,
        lr_factor=Piecewise([(decay_from, 1.0), (steps, settings.final_lr)]),
        progress=False,
    )
    session = trainer.session(data, steps, StopRequest())

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        mean = model.represent(x)
        return mean, model.likelihood.nll(model.decode(mean), x).sum()

    return Side(lambda: next(session), model, encode, settings.batch_size, asdict(settings))


def our_loss(name: str, n_images: int) -> Any:
    """Make the loss of a name, with its settings."""
    import disvae
    from disvae.models import Discriminator
    from disvae.schedules import Piecewise

    settings = OURS[name]
    weight, alpha, gamma, capacity = (
        Piecewise(points) if isinstance(points, tuple) else points
        for points in (settings.weight, settings.alpha, settings.gamma, settings.capacity)
    )
    losses: dict[str, Callable[[], disvae.Loss]] = {
        "vae": lambda: disvae.VAELoss(),
        "beta_vae_h": lambda: disvae.BetaVAEHLoss(weight),
        "beta_vae_b": lambda: disvae.BetaVAEBLoss(weight, capacity),
        "factor_vae": lambda: disvae.FactorVAELoss(
            LATENT_DIM,
            gamma=weight,
            discriminator=Discriminator(LATENT_DIM, *settings.discriminator),
            discriminator_lr=settings.discriminator_lr,
        ),
        "beta_tcvae": lambda: disvae.BetaTCVAELoss(n_images, alpha, weight, gamma),
    }
    return losses[name]()


def peer(images: Images, options: argparse.Namespace) -> Side:
    """Prepare the trainer of disentangling-vae, for any number of steps."""
    sys.path.insert(0, str(options.peer))
    vars(np).setdefault("product", np.prod)  # the peer's networks use a name that NumPy 2 removed
    # By name, since the peer's package has the name of ours.
    get_loss_f = import_module("disvae.models.losses").get_loss_f
    init_specific_model = import_module("disvae.models.vae").init_specific_model
    trainer_class = import_module("disvae.training").Trainer

    settings = (PEER if options.side == "peer" else PEER_OURS)[options.loss]
    criterion = get_loss_f(
        PEER_NAMES[options.loss],
        **settings,
        latent_dim=LATENT_DIM,
        n_data=len(images.train),
        device=torch.device("cpu"),
    )
    model = init_specific_model("Burgess", images.train.shape[1:], LATENT_DIM)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])
    folder = options.data.parent / f"{options.side}-{options.loss}-{options.seed}"
    folder.mkdir()
    trainer = trainer_class(model, optimizer, criterion, save_dir=str(folder))
    model.train()
    log: dict[str, list[float]] = defaultdict(list)
    # Its command line doubles the batches of FactorVAE, which the loss halves.
    batch_size = settings["batch_size"] * (2 if options.loss == "factor_vae" else 1)
    batches = shuffled(len(images.train), batch_size, options.seed)

    def step() -> None:
        trainer._train_iteration(images.batch(images.train[next(batches)]), log)

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        mean, _ = model.encoder(x)
        return mean, F.binary_cross_entropy(model.decoder(mean), x, reduction="sum")

    return Side(step, model, encode, batch_size, settings)


def shuffled(n: int, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the indices of endless batches, in a new order for each epoch."""
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(n)
        for start in range(0, n - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


if __name__ == "__main__":
    main()
