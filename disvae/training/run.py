"""The run directory: all that is needed to resume, evaluate and plot a run.

config.yaml             the model, the loss, the data, the trainer's settings, how it began
config.sig              your signature of it: what you may, a stranger's run may not (disvae.trust)
checkpoint.pt           the state of training, for resuming; once training has ended, without the
                        weights that the next two files hold
checkpoint.previous.pt  the checkpoint before, until training has ended
model.safetensors       the weights, once training has ended
criterion.safetensors   the weights of the loss's own networks
best.safetensors        the weights at the log point where the monitored quantity was best, if any
weights/step-*.safetensors   the weights after so many steps, if they are to be kept (keep_every)
starts.jsonl            the command, versions and git commit of every process that trained it
log.jsonl               the mean of every term between two log points
tensorboard/            the same as curves, if TensorBoard is installed
evaluation.*, information.png, codes-*.npz, traversal.png   what the commands of these names add
dimensions.json         the names that somebody gave the latent dimensions
pictures.txt            the names of the pictures that `disvae plot` added
report.html             the page of `disvae report`
"""

import inspect
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from disvae.data import ImageDataset, Stored, TupleSource
from disvae.data.files import data_root
from disvae.files import open_to_append, refuse_links, write_atomically
from disvae.losses import Loss
from disvae.models import LatentModel
from disvae.pretrained import pretrained_names
from disvae.pretrained.packed import find_run
from disvae.spec import build, check_trusted, describe, find_class, is_trusted
from disvae.training.files import (
    previous_checkpoint,
    read_checkpoint,
    read_tensors,
    write_checkpoint,
    write_tensors,
)
from disvae.trust import HARMLESS, given, is_mine, sign

# What may differ between the command that started a run and the one that resumes it.
FREE = ("steps", "provenance", "keep_every")

# What a source of tuples has from the data set and the trainer.
SETTLED = ("dataset", "batch_size", "seed", "device")

# The parts of the state that have files of their own once training has ended.
WEIGHTS = {"model": "model.safetensors", "criterion": "criterion.safetensors"}

# What is made of the weights once training has ended.
RESULTS = (
    "evaluation.json",
    "evaluation.png",
    "information.png",
    "codes-trained.npz",
    "codes.npz",
    "traversal.png",
    "report.html",
)

SIGNATURE = "config.sig"

# The names of the pictures that were drawn of it, which are results too.
PICTURES = "pictures.txt"
DRAWN = (".png", ".pdf", ".svg", ".jpg", ".webp", ".gif", ".apng", ".mp4")


class RunDirectory:
    """The writing side of a run directory, for the trainer.

    Args:
        path: the folder; made if it does not exist.
        config: the run's description. A folder that holds another run's is refused, unless that
            one has not taken a step yet.

    Raises:
        ValueError: the folder belongs to a run with another configuration, or has a symbolic link
            in it.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.ended = False  # whether the checkpoint that was read is of an end
        path.mkdir(parents=True, exist_ok=True)
        refuse_links(path)
        file = path / "config.yaml"
        old = read_config(file) if file.exists() else None
        different = _differences(old, config) if old else []
        if different and has_begun(path):
            raise ValueError(
                f"{path} holds another run: {'; '.join(different)}. Choose another run_dir "
                "(--run_dir), or delete this one"
            )
        same = old if old and not different else {}
        if "provenance" in same:
            config = {**config, "provenance": same["provenance"]}
        self._config = config  # of the end that is to come
        if same and (same["steps"] >= config["steps"] or (path / WEIGHTS["model"]).exists()):
            config = {**config, "steps": same["steps"]}  # of the end that is there, or was planned
            if _is_mine(path):
                return
        write_config(path, config)

    def _checkpoints(self) -> tuple[Path, Path]:
        return _checkpoints(self.path)

    def read_checkpoint(self, say: Callable[[str], None]) -> dict[str, Any] | None:
        """The last checkpoint that is whole, or None if there is none yet.

        Args:
            say: told if it is not the last one.

        Raises:
            ValueError: the last one is damaged, and so is the one before, or there is none.
        """
        file, before = self._checkpoints()
        try:
            if file.exists():
                return self._read_whole(file)
            problem = f"{file} is missing"  # between the two renamings of a write
        except ValueError as error:
            if not before.exists():
                raise
            problem = str(error)
        if not before.exists():
            return None
        state = self._read_whole(before)
        say(f"{problem}. Going on from the one before it, {before.name}")
        return state

    def _read_whole(self, file: Path) -> dict[str, Any]:
        """A checkpoint, with the weights that stand in files of their own if it is of the end."""
        state = read_checkpoint(file)
        checksums = state.pop("checksums", {})
        self.ended = bool(checksums)
        weights = {
            part: read_tensors(self.path / WEIGHTS[part], checksum)
            for part, checksum in checksums.items()
        }
        return state | weights

    def write_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint, and keep the one before."""
        file, before = self._checkpoints()
        write_checkpoint(file, state, before)

    def write_end(self, state: dict[str, Any]) -> None:
        """Write the state at the end of training, each part once.

        An earlier end, whose steps were fewer, is there until now. What was made of it goes first.
        The weights are written before the rest: a checkpoint without them means that their files
        are whole.
        """
        file, before = self._checkpoints()
        self._remove_results()
        checksums = {
            part: write_tensors(self.path / name, state[part]) for part, name in WEIGHTS.items()
        }
        write_config(self.path, self._config)
        rest = {part: value for part, value in state.items() if part not in WEIGHTS}
        write_checkpoint(file, {**rest, "checksums": checksums})
        before.unlink(missing_ok=True)

    def go_on(self, state: dict[str, Any]) -> None:
        """Prepare the folder for more steps.

        If the checkpoint leaves the weights to the results of an end, a whole one replaces it. The
        results stay until those of the next end replace them.

        Args:
            state: the state that training goes on from.
        """
        file, _ = self._checkpoints()
        if (self.path / WEIGHTS["model"]).exists() and file.exists():
            write_checkpoint(file, state)

    def _remove_results(self) -> None:
        noted = self.path / PICTURES
        pictures = noted.read_text("utf-8").splitlines() if noted.exists() else []
        for name in pictures:  # which anybody may have written
            if Path(name).suffix in DRAWN:
                (self.path / Path(name).name).unlink(missing_ok=True)
        for name in (*RESULTS, PICTURES):
            (self.path / name).unlink(missing_ok=True)

    def write_best(self, model: nn.Module, step: int, record: dict[str, float]) -> None:
        """Write the weights at the best log point so far, and what the log says of it."""
        write_tensors(self.path / "best.safetensors", model.state_dict())
        content = json.dumps({"step": step, **record}, indent=2)
        write_atomically(self.path / "best.json", content.encode())

    def write_kept(self, model: nn.Module, step: int) -> None:
        """Keep the weights after a step for good."""
        file = _kept_file(self.path, step)
        file.parent.mkdir(exist_ok=True)
        write_tensors(file, model.state_dict())


def has_begun(path: Path) -> bool:
    """Whether there is something to lose in a folder: a step, or weights that were imported."""
    log = path / "log.jsonl"
    kept = [path / name for name in ("model.safetensors", "weights")]
    return any(file.exists() for file in (*_checkpoints(path), *kept)) or (
        log.exists() and log.stat().st_size > 0
    )


def recorded_precision(path: Path) -> Any:
    """Return the precision of the run that a folder holds; None if none has begun.

    Raises:
        ValueError: if its configuration is damaged.
    """
    file = path / "config.yaml"
    return read_config(file).get("precision") if file.exists() and has_begun(path) else None


def _checkpoints(path: Path) -> tuple[Path, Path]:
    """The last one, and the one before."""
    file = path / "checkpoint.pt"
    return file, previous_checkpoint(file)


def _kept_file(path: Path, step: int) -> Path:
    return path / "weights" / f"step-{step:08d}.safetensors"


@dataclass(frozen=True)
class Run:
    """The reading side of a run directory; see :func:`load_run`.

    Attributes:
        path: the folder.
        config: what its ``config.yaml`` says.
        trust: what it may name besides disvae's own classes if it is not yours.
    """

    path: Path
    config: dict[str, Any]
    trust: tuple[str, ...] = ()

    def model(self, best: bool = False) -> LatentModel:
        """The trained model, in evaluation mode.

        Args:
            best: as it was at the log point that ``monitor`` found best, not at the end.

        Raises:
            FileNotFoundError: training has not ended yet, or nothing was monitored.
        """
        if best and not (self.path / "best.safetensors").exists():
            raise FileNotFoundError(
                f"{self.path} keeps no best weights: train with monitor (--monitor), such as "
                '"objective"'
            )
        file = "best.safetensors" if best else "model.safetensors"
        return _with_weights(self._build("model", LatentModel), self.path / file)

    def kept_steps(self) -> list[int]:
        """The steps whose weights were kept (the trainer's ``keep_every``), from the first on."""
        files = (self.path / "weights").glob("step-*.safetensors")
        return sorted(int(file.stem.partition("-")[2]) for file in files)

    def kept_model(self, step: int) -> LatentModel:
        """The model as it was after ``step`` steps, in evaluation mode.

        Raises:
            FileNotFoundError: its weights were not kept.
        """
        if step not in self.kept_steps():
            raise FileNotFoundError(
                f"{self.path} keeps no weights of step {step}, only of {self.kept_steps()}: train "
                "with keep_every (--keep_every STEPS)"
            )
        return _with_weights(self._build("model", LatentModel), _kept_file(self.path, step))

    def untrained_model(self) -> LatentModel:
        """The same network with fresh weights, drawn with the run's seed."""
        with torch.random.fork_rng():
            torch.manual_seed(self.config["seed"])
            return self._build("model", LatentModel).eval()

    def criterion(self) -> Loss:
        """The loss, with its own networks as training left them."""
        return _with_weights(self._build("loss", Loss), self.path / "criterion.safetensors")

    def data(self) -> ImageDataset:
        """The data set that the run was trained on."""
        return self._build("data", ImageDataset)

    def note_picture(self, name: str) -> None:
        """Note a file of this folder that more training is to remove, since it shows this end."""
        with open_to_append(self.path / PICTURES) as file:
            file.write(name + "\n")

    def _build(self, part: str, base: Any) -> Any:
        spec = self.config.get(part)
        if spec is None and "imported" in self.config:
            raise ValueError(
                f"{self.path} was imported, and has no {part}: import it again with --data NAME"
                if part == "data"
                else f"{self.path} was imported, and has no {part}"
            )
        if spec is None:
            raise ValueError(
                f"{self.path} does not say how to build its {part}, which was made of objects that "
                "plain values cannot describe: build it in Python and load the .safetensors file"
            )
        if not isinstance(spec, dict):
            raise ValueError(f"{self.path / 'config.yaml'}: its {part} is no class and arguments")
        try:
            if _is_mine(self.path):
                return build(spec, base)
            trust = (*given(), *self.trust)
            allowed = (*HARMLESS, *trust)
            if part == "data":
                allowed = (*allowed, "disvae.data")
                check_trusted(spec, allowed)
                spec = self._only_reading(spec, trust)
            return build(spec, base, allowed)
        except (AttributeError, LookupError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"{self.path / 'config.yaml'}: its {part} cannot be built "
                f"({type(error).__name__}: {error})"
            ) from error

    def _only_reading(self, value: Any, trust: Sequence[str]) -> Any:
        """A description of a data set without what writes, or reads where a stranger says.

        Raises:
            ValueError: it reads neither in the run nor in the folder of your data sets.
        """
        if isinstance(value, list):
            return [self._only_reading(item, trust) for item in value]
        if not isinstance(value, dict):
            return value
        if "class_path" not in value:
            return {name: self._only_reading(item, trust) for name, item in value.items()}
        cls, arguments = find_class(value), value.get("init_args") or {}
        if issubclass(cls, Stored):  # a copy, in a file
            return self._only_reading(arguments["dataset"], trust)
        for name, parameter in inspect.signature(cls).parameters.items():
            if "Path" in str(parameter.annotation) and not is_trusted(value, trust):
                self._check_place(arguments.get(name), value["class_path"])
        inner = {name: self._only_reading(item, trust) for name, item in arguments.items()}
        return {**value, "init_args": inner}

    def _check_place(self, place: Any, path: str) -> None:
        if place is None:
            return
        found, here = Path(str(place)).expanduser().resolve(), self.path.resolve()
        if found.is_relative_to(here):
            refuse_links(here)
        elif not found.is_relative_to(data_root(None).resolve()):
            raise ValueError(
                f"{self.path} is not signed as yours, and its data lies in {place}: to read "
                f"that, give --trust {path} (in Python, trust=)"
            )


def _is_mine(path: Path) -> bool:
    signature = path / SIGNATURE
    content = (path / "config.yaml").read_bytes()
    return signature.is_file() and is_mine(content, signature.read_text("ascii", "replace").strip())


def write_config(path: Path, config: dict[str, Any]) -> None:
    """Write a run's configuration, and sign it as yours where a key can be kept."""
    content = yaml.safe_dump(config, sort_keys=False).encode()
    write_atomically(path / "config.yaml", content)
    with suppress(OSError):
        write_atomically(path / SIGNATURE, f"{sign(content)}\n".encode())


def load_run(path: str | Path, trust: Sequence[str] = ()) -> Run:
    """Open a run directory.

    What it is made of is built from its config.yaml. A run that this user has made may name any
    class. One from elsewhere may name disvae's own and torchvision's models, and reads what lies in
    it or where your data sets are: see :mod:`disvae.trust`.

    Args:
        path: the folder that a :class:`Trainer` or ``disvae train`` wrote, or the name of a
            pretrained model, which is copied into a folder of the user's.
        trust: packages, modules or classes of other code, by import path, that a run from elsewhere
            may name.

    Raises:
        FileNotFoundError: it is not a run directory.

    Example:
        >>> run = load_run("runs/factor")  # doctest: +SKIP
        >>> codes = run.model().represent(images)  # doctest: +SKIP
    """
    path = find_run(path)
    file = path / "config.yaml"
    if not file.is_file():
        raise FileNotFoundError(
            f"{path} is not a run directory: it has no config.yaml; `disvae train` makes one, and "
            f"there are the pretrained {', '.join(pretrained_names())}"
        )
    return Run(path, read_config(file), tuple(trust))


def read_config(file: Path) -> dict[str, Any]:
    """The configuration that a YAML file holds.

    Raises:
        ValueError: it is damaged, or holds no mapping.
    """
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file} is not YAML: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{file} must hold options and their values, like a run's config.yaml")
    return config


def description(obj: object) -> dict[str, Any] | None:
    """How to build ``obj`` again, or None if plain values cannot say it."""
    try:
        return describe(obj)
    except ValueError:
        return None


def described_data(data: Any) -> dict[str, Any]:
    """How to find the data again: the data set and, where its images come in tuples, as which."""
    if not isinstance(data, TupleSource):
        return {"data": description(data)}
    source = description(data)
    if source is not None:
        for name in SETTLED:
            source["init_args"].pop(name, None)
    return {"data": description(data.dataset), "source": source}


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """In what the configurations of two runs differ that may not."""
    before, now = _flat(old), _flat(new)
    return [
        f"{key} was {before.get(key)!r} and is now {now.get(key)!r}"
        for key in sorted(before.keys() | now.keys())
        if key.split(".")[0] not in FREE and before.get(key) != now.get(key)
    ]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, with dotted keys."""
    if not isinstance(value, dict):
        return {prefix: value}
    parts = [_flat(item, f"{prefix}.{key}" if prefix else key) for key, item in value.items()]
    return {key: item for part in parts for key, item in part.items()}


def _with_weights(module: Any, file: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not file.exists():
        raise FileNotFoundError(
            f"{file} does not exist: training has not ended; start its command again to finish it"
        )
    try:
        module.load_state_dict(load_file(file))
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"{file} does not hold this run's weights ({str(error).splitlines()[0]}): restore it "
            "from a copy, or train again"
        ) from error
    return module.eval()
