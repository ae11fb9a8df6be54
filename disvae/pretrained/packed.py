"""The packed models: a folder each, a run directory reduced to what reading needs.

config.yaml         the model, the data and the training, without paths of a machine
model.safetensors   the weights, in float16
log.jsonl           the mean of every term between two log points
evaluation.json     the scores of these weights
README.md           the model card

``benchmarks/pretrained.py`` writes them.
"""

import filecmp
import os
import shutil
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from disvae.models import LatentModel
from disvae.spec import build

PACKAGE = Path(__file__).parent

# The files that make a model: an unpacked copy whose files differ is of another version.
CONFIG, WEIGHTS = "config.yaml", "model.safetensors"


def pretrained_names() -> list[str]:
    """Return the names of the models that come with the package, sorted.

    Example:
        >>> "sprites-beta-tcvae" in pretrained_names()
        True
    """
    return sorted(file.parent.name for file in PACKAGE.glob(f"*/{CONFIG}"))


def load_pretrained(name: str) -> LatentModel:
    """Load a model that comes with the package, in evaluation mode and float32.

    No network is needed, and nothing is written. ``disvae.training.load_run(name)`` also has its
    data set and settings.

    Args:
        name: as :func:`pretrained_names` has it.

    Raises:
        ValueError: if there is no such model; the message names the nearest.

    Example:
        >>> import disvae, torch
        >>> model = disvae.load_pretrained("sprites-beta-tcvae")
        >>> model.represent(torch.zeros(5, 1, 32, 32)).shape
        torch.Size([5, 10])
    """
    import yaml
    from safetensors.torch import load_file

    names = pretrained_names()
    if name not in names:
        close = get_close_matches(name.lower().replace("_", "-"), names, n=1, cutoff=0.4)
        guess = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"no pretrained model {name!r}{guess} (known: {', '.join(names)})")
    config = yaml.safe_load((PACKAGE / name / CONFIG).read_text(encoding="utf-8"))
    model = build(config["model"], LatentModel)  # type: ignore[type-abstract]
    model.load_state_dict(load_file(PACKAGE / name / WEIGHTS))
    return model.eval()


def find_run(run: str | Path) -> Path:
    """Return the folder of a run: the folder itself, or the copy of a pretrained model.

    A pretrained model is copied once into ``$DISVAE_PRETRAINED`` or ``~/.disvae/pretrained``. There
    scores, pictures and names of dimensions can be added, and the installed package stays as it is.
    A copy with the weights of another version is replaced.

    Args:
        run: a folder, or the name of a pretrained model; where both exist, the folder.
    """
    path = Path(run)
    name = str(run)
    return path if path.is_dir() or name not in pretrained_names() else _unpack(name)


def _unpack(name: str) -> Path:
    from filelock import FileLock

    root = Path(os.environ.get("DISVAE_PRETRAINED") or "~/.disvae/pretrained").expanduser()
    source, target = PACKAGE / name, root / name
    if _is_copy(target, source):
        return target
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{name}.lock"):  # a second process waits, and finds the copy
        if not _is_copy(target, source):
            _replace(target, source)
    return target


def _is_copy(target: Path, source: Path) -> bool:
    return all(
        (target / file).is_file() and filecmp.cmp(target / file, source / file, shallow=False)
        for file in (CONFIG, WEIGHTS)
    )


def _replace(target: Path, source: Path) -> None:
    """Replace a folder by a copy of another: it is whole or, for a moment, absent."""
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        for file in source.iterdir():
            shutil.copyfile(file, new / file.name)  # without the modes of an installed package
        if target.exists():
            target.rename(Path(temporary) / "old")
        new.rename(target)
