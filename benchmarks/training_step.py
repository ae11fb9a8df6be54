"""Training speed of every loss: images per second and peak memory, beside a peer's if one is given.

    python benchmarks/training_step.py --output runs/bench
    python benchmarks/training_step.py --precision bf16-mixed --peer PATH
    python benchmarks/training_step.py --batch_sizes 64 128 256 512 1024 --losses vae factor_vae

PATH is a checkout of YannDubs/disentangling-vae, which trains in float32 alone.

Every case runs in a process of its own, and the peer's in another: they take turns, a few steps
each, so that whatever else the machine does slows both alike. Compare the ratios, not the times.
The peer's FactorVAE halves its batch, so it is given twice as many images, as its own command line
does, and ours has the peer's five hidden layers in its discriminator instead of the paper's six.

"peak" is the share of the rate at which this machine multiplies large matrices in our precision,
measured after the turns: what the multiplications and additions of the networks alone reach.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

LOSSES = ("vae", "beta_vae_h", "beta_vae_b", "factor_vae", "beta_tcvae")
LATENT_DIM, DATASET_SIZE, PEER_HIDDEN_LAYERS = 10, 737_280, 5


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--losses", nargs="+", default=LOSSES, choices=LOSSES)
    parser.add_argument("--batch_sizes", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each side")
    parser.add_argument("--steps", type=int, default=10, help="steps a turn")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's choice")
    parser.add_argument("--precision", default="32-true", choices=["32-true", "bf16-mixed"])
    parser.add_argument("--image_size", type=int, default=64, choices=[32, 64])
    parser.add_argument("--peer", type=Path, help="a checkout of disentangling-vae")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    parser.add_argument("--worker", choices=["ours", "peer"], help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.worker:
        work(options)
        return {}
    rows = []
    print(
        f"{'loss':12} {'batch':>5} {'images/s':>9} {'MiB':>6} {'peak':>5}"
        + (f"  {'peer':>7} {'MiB':>6} {'ratio':>6}" if options.peer else "")
    )
    for batch_size in options.batch_sizes:
        for loss in options.losses:
            rows.append(row := measure(loss, batch_size, options))
            print(_line(row), flush=True)
    report = {
        "device": "cpu",
        "image_size": options.image_size,
        "precision": options.precision,
        "rows": rows,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "training_step.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def measure(loss: str, batch_size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Let our process and the peer's take turns; the ratio is the median over the turns."""
    sides = ["ours", "peer"] if options.peer else ["ours"]
    workers = {side: _start(side, loss, batch_size, options) for side in sides}
    seconds = defaultdict(list)
    for turn in range(options.rounds + 1):
        for side, worker in workers.items():
            elapsed = float(_ask(worker, "go"))
            if turn > 0:  # the first turn warms up
                seconds[side].append(elapsed / options.steps)
    row: dict[str, Any] = {"loss": loss, "batch_size": batch_size}
    flops, peak = float(_ask(workers["ours"], "flops")), float(_ask(workers["ours"], "peak"))
    row["share_of_peak"] = flops / statistics.median(seconds["ours"]) / peak
    for side, worker in workers.items():
        row[f"{side}_images_per_second"] = batch_size / statistics.median(seconds[side])
        row[f"{side}_peak_mib"] = float(_ask(worker, "memory"))
        worker.communicate()
    if options.peer:
        ratios = [p / o for p, o in zip(seconds["peer"], seconds["ours"], strict=True)]
        row["ratio"] = statistics.median(ratios)
    return row


def _line(row: dict[str, Any]) -> str:
    text = f"{row['loss']:12} {row['batch_size']:5}"
    text += f" {row['ours_images_per_second']:9.0f} {row['ours_peak_mib']:6.0f}"
    text += f" {100 * row['share_of_peak']:4.0f}%"
    if "ratio" in row:
        text += f"  {row['peer_images_per_second']:7.0f} {row['peer_peak_mib']:6.0f}"
        text += f" {row['ratio']:5.2f}x"
    return text


def _start(
    side: str, loss: str, batch_size: int, options: argparse.Namespace
) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--worker", side, "--losses", loss]
    command += ["--batch_sizes", str(batch_size), "--steps", str(options.steps)]
    command += ["--threads", str(options.threads), "--image_size", str(options.image_size)]
    command += ["--precision", options.precision]
    if options.peer:
        command += ["--peer", str(options.peer.resolve())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(worker: "subprocess.Popen[str]", word: str) -> str:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(word + "\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"a worker stopped; its last words are above: {worker.args!r}")
    return answer


def work(options: argparse.Namespace) -> None:
    """Answer questions: the seconds of some steps, their arithmetic, the machine's, the memory."""
    if options.worker == "peer":
        sys.path.insert(0, str(options.peer))
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    make = peer_step if options.worker == "peer" else our_step
    step = make(options.losses[0], options.batch_sizes[0], options)

    def steps() -> None:
        for _ in range(options.steps):
            step()

    answers: dict[str, Callable[[], float]] = {
        "go": lambda: seconds_of(steps),
        "flops": lambda: flops_of(step),
        "peak": lambda: matmul_rate(options.precision),
        "memory": lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for line in sys.stdin:
        print(answers[line.strip()](), flush=True)


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def flops_of(step: Callable[[], None]) -> float:
    """Multiplications and additions of the matrix products and convolutions of a step."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def matmul_rate(precision: str, size: int = 2048) -> float:
    """Multiplications and additions per second of one large matrix product: the best of several."""
    import torch

    dtype = torch.float32 if precision == "32-true" else torch.bfloat16
    a, b = torch.randn(2, size, size).to(dtype)
    return 2 * size**3 / min(seconds_of(lambda: a.mm(b)) for _ in range(20))


def our_step(loss: str, batch_size: int, options: argparse.Namespace) -> Callable[[], None]:
    """One training step of the plain loop, as the trainer does it."""
    import torch

    import disvae
    from disvae.models import Discriminator
    from disvae.training.memory import keep_freed_memory

    image_shape = (1, options.image_size, options.image_size)
    discriminator = Discriminator(LATENT_DIM, n_hidden=PEER_HIDDEN_LAYERS) if options.peer else None
    criterion = {
        "vae": lambda: disvae.VAELoss(),
        "beta_vae_h": lambda: disvae.BetaVAEHLoss(),
        "beta_vae_b": lambda: disvae.BetaVAEBLoss(),
        "factor_vae": lambda: disvae.FactorVAELoss(LATENT_DIM, discriminator=discriminator),
        "beta_tcvae": lambda: disvae.BetaTCVAELoss(DATASET_SIZE),
    }[loss]()
    model = disvae.BurgessVAE(image_shape, LATENT_DIM)
    keep_freed_memory()
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr=1e-4), fused=True)
    x = torch.rand(batch_size, *image_shape)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision != "32-true"):
            value = criterion(model, x, 0).loss
        value.backward()
        optimizer.step()

    return step


def peer_step(loss: str, batch_size: int, options: argparse.Namespace) -> Callable[[], None]:
    """One training step of the peer's own trainer."""
    import numpy as np
    import torch

    vars(np).setdefault("product", np.prod)  # the peer's networks use a name that NumPy 2 removed
    # By name, since the peer's package has the name of ours.
    get_loss_f = import_module("disvae.models.losses").get_loss_f
    init_specific_model = import_module("disvae.models.vae").init_specific_model
    trainer_class = import_module("disvae.training").Trainer

    image_shape = (1, options.image_size, options.image_size)
    name = dict(zip(LOSSES, ("VAE", "betaH", "betaB", "factor", "btcvae"), strict=True))[loss]
    settings = {
        "rec_dist": "bernoulli", "reg_anneal": 0, "betaH_B": 4, "betaB_initC": 0, "betaB_finC": 25,
        "betaB_G": 1000, "factor_G": 35, "latent_dim": LATENT_DIM, "lr_disc": 1e-4,
        "device": torch.device("cpu"), "n_data": DATASET_SIZE, "btcvae_A": 1, "btcvae_B": 6,
        "btcvae_G": 1,
    }  # fmt: skip
    model = init_specific_model("Burgess", image_shape, LATENT_DIM)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    scratch = Path(options.output)
    scratch.mkdir(parents=True, exist_ok=True)
    trainer = trainer_class(model, optimizer, get_loss_f(name, **settings), save_dir=str(scratch))
    trainer.model.train()
    n_images = 2 * batch_size if loss == "factor_vae" else batch_size
    x = torch.rand(n_images, *image_shape)
    log: dict[str, list[float]] = defaultdict(list)

    def step() -> None:
        trainer._train_iteration(x, log)

    return step


if __name__ == "__main__":
    main()
