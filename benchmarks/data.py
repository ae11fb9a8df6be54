"""How fast images come: our batch source beside PyTorch's DataLoader, and a peer's if one is given.

    python benchmarks/data.py --output runs/bench
    python benchmarks/data.py --peer PATH    # a checkout of YannDubs/disentangling-vae

The sources take turns, some batches each, so that whatever else the machine does slows all alike.
Compare the ratios, not the times. All of them give shuffled batches of the same sprites as float32
in [0, 1]; the peer reads them from a file in dSprites' format, which is written for it. No loader
has workers: they would go on reading ahead during the turns of the others.
"""

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from disvae import BurgessVAE, VAELoss
from disvae.data import BatchSource, FactorDataset, RandomFactorSubset, Sprites, store
from disvae.training.memory import keep_freed_memory

Next = Callable[[], Tensor]


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Run the benchmark, print its table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10, help="turns of each source")
    parser.add_argument("--batches", type=int, default=100, help="batches a turn")
    parser.add_argument("--all", action="store_true", help="also store all 737,280 sprites")
    parser.add_argument("--peer", type=Path, help="a checkout of disentangling-vae")
    parser.add_argument("--output", type=Path, default=Path("runs/bench"))
    options = parser.parse_args(argv)
    keep_freed_memory()
    data = RandomFactorSubset(Sprites(), options.images, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        report: dict[str, Any] = {"sources": compare(sources(data, Path(folder), options), options)}
        if options.all:
            report["storage"] = storage(Path(folder) / "sprites.npy")
    report["waiting"] = waiting(data, options)
    print(json.dumps(report, indent=2))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "data.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def sources(data: Any, folder: Path, options: argparse.Namespace) -> dict[str, Next]:
    """What gives the next batch, by name."""
    size = options.batch_size
    found = {
        "batch source, bits in memory": _steps(BatchSource(store(data, progress=False), size)),
        "batch source, bytes in memory": _steps(BatchSource(data, size)),
        "batch source, rendering": _steps(BatchSource(Sprites(), size)),
        "DataLoader": _endless(DataLoader(data, size, shuffle=True)),
    }
    if options.peer:
        found["peer"] = _endless(_peer_loader(options.peer, data, folder, size))
    return found


def compare(found: dict[str, Next], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Images per second of each, the median over the turns, and the ratios to the first."""
    speeds: dict[str, list[float]] = {name: [] for name in found}
    for batch in found.values():
        batch()
    for _ in range(options.rounds):
        for name, batch in found.items():
            begin = time.perf_counter()
            images = sum(len(batch()) for _ in range(options.batches))
            speeds[name].append(images / (time.perf_counter() - begin))
    first = next(iter(speeds.values()))
    return {
        name: {
            "images_per_second": statistics.median(values),
            "first_is_faster_by": statistics.median(
                a / b for a, b in zip(first, values, strict=True)
            ),
        }
        for name, values in speeds.items()
    }


def waiting(data: FactorDataset, options: argparse.Namespace) -> float:
    """The share of a training step's time that is spent waiting for its batch."""
    torch.manual_seed(0)
    model, criterion = BurgessVAE((1, 64, 64), latent_dim=10), VAELoss()
    optimizer = torch.optim.Adam(criterion.parameter_groups(model, lr=1e-4), fused=True)
    source = BatchSource(store(data, progress=False), options.batch_size)
    waited, steps = [], []
    for step in range(options.rounds * 3):
        begin = time.perf_counter()
        x = source.batch(step)
        waited.append(time.perf_counter() - begin)
        output = criterion(model, x, step)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
        steps.append(time.perf_counter() - begin)
    return statistics.median(waited) / statistics.median(steps)


def storage(file: Path) -> dict[str, float]:
    """Seconds to render all sprites into a file, its size, and seconds to open it again."""
    begin = time.perf_counter()
    store(Sprites(), file)
    rendered = time.perf_counter()
    store(Sprites(), file)
    opened = time.perf_counter()
    megabytes = file.stat().st_size / 1e6
    return {"render_s": rendered - begin, "open_s": opened - rendered, "megabytes": megabytes}


def _steps(source: BatchSource) -> Next:
    steps = count()
    return lambda: source.batch(next(steps))


def _endless(loader: Any) -> Next:
    def batches() -> Iterator[Tensor]:
        while True:
            for images, _ in loader:
                yield images

    iterator = batches()
    return lambda: next(iterator)


def _peer_loader(checkout: Path, data: FactorDataset, folder: Path, batch_size: int) -> Any:
    """The peer's loader, over our images in the file that it reads."""
    images = data.images(range(len(data)))[:, 0].numpy()
    factors = data.factors(range(len(data))).numpy()
    np.savez(folder / "dsprite_train.npz", imgs=images, latents_values=factors.astype(float))
    spec = importlib.util.spec_from_file_location("peer", checkout / "utils" / "datasets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_dataloaders("dsprites", root=str(folder), batch_size=batch_size)


if __name__ == "__main__":
    main()
