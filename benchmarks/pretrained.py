"""Pack a finished run as a model that comes with the package: small weights, scores, a card.

    python benchmarks/pretrained.py runs/pretrained/sprites-vae sprites-vae

The weights are rounded to float16, and the scores are those of the rounded weights: FactorVAE score
and MIG in the convention of disentanglement_lib, the FactorVAE score also as this library has it by
default, and the exact decomposition of the KL. `make pretrained` trains, scores and packs all.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from safetensors.torch import save_file

from disvae.cli.main import main as disvae
from disvae.models import model_card
from disvae.pretrained.packed import PACKAGE
from disvae.spec import find_class
from disvae.training import Run, load_run

FILES = ("config.yaml", "model.safetensors", "log.jsonl", "evaluation.json", "README.md")

# Of how a run began: the rest is about the machine.
KEPT = ("time", "command", "versions", "processor")


def main(argv: Sequence[str] | None = None) -> None:
    """Pack one run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("run", help="finished run directory")
    parser.add_argument("name", help="name of the model, such as sprites-vae")
    parser.add_argument("--output", type=Path, default=PACKAGE, help="folder of the models")
    parser.add_argument("--points", type=int, default=10_000, help="images to score on")
    parser.add_argument("--repeats", type=int, default=20, help="halves to measure errors with")
    parser.add_argument("--codes", type=int, default=500, help="codes to decompose the KL at")
    options = parser.parse_args(argv)
    with TemporaryDirectory() as temporary:
        packed = Path(temporary) / options.name
        packed.mkdir()
        write_run(load_run(options.run), packed)
        evaluation = score(packed, options.points, options.repeats, options.codes)
        write_card(load_run(packed), evaluation)
        folder = options.output / options.name
        folder.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copyfile(packed / file, folder / file)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"wrote {folder} ({size / 1e6:.2f} MB)")


def write_run(finished: Run, packed: Path) -> None:
    """Write what reading a run needs: its settings, its log, and its weights in float16."""
    began = {key: finished.config["provenance"][key] for key in KEPT}
    began["command"] = without_paths(began["command"])
    config = {**finished.config, "provenance": began}
    (packed / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    shutil.copyfile(finished.path / "log.jsonl", packed / "log.jsonl")
    state = finished.model().half().state_dict()
    save_file(
        {name: value.contiguous() for name, value in state.items()}, packed / "model.safetensors"
    )


def without_paths(command: Sequence[str]) -> list[str]:
    """Return a command without its program's folder, and without options that are paths.

    Example:
        >>> without_paths(["/bin/disvae", "train", "--run_dir", "runs/0", "--seed", "0"])
        ['disvae', 'train', '--seed', '0']
    """
    words = ["disvae"]
    for word in command[1:]:
        if "/" not in word and "\\" not in word:
            words.append(word)
        elif not word.startswith("--") and words[-1].startswith("--"):
            words.pop()
    return words


def score(packed: Path, points: int, repeats: int, codes: int) -> dict[str, Any]:
    """Evaluate the packed weights into ``evaluation.json``."""
    evaluate = ["evaluate", str(packed), "--points", str(points), "--repeats", str(repeats)]
    file = packed / "evaluation.json"
    by_default = _run([*evaluate, "--metrics", "FactorVAE score"], file)["trained"]
    metrics = ["--preset", "disentanglement_lib", "--metrics", "FactorVAE score,MIG"]
    report = _run([*evaluate, *metrics, "--decompose", str(codes)], file)
    report["trained"] |= {f"{name} (default preset)": by_default[name] for name in by_default}
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _run(arguments: list[str], file: Path) -> dict[str, Any]:
    if disvae(arguments) != 0:
        raise SystemExit(2)  # the command has said why
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def write_card(packed: Run, evaluation: dict[str, Any]) -> None:
    """Write the model card, with the scores of the packed weights."""
    name = packed.path.name
    card = model_card(
        packed.model(),
        name,
        evaluation=evaluation,
        settings=packed.config,
        cites=[find_class(packed.config["loss"])],
        loading=f'import disvae\n\nmodel = disvae.load_pretrained("{name}")',
    )
    (packed.path / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
