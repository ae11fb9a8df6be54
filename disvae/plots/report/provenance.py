"""Where a run comes from, as lines of a list."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from disvae.plots.report.log import json_lines
from disvae.training import Run


@dataclass(frozen=True)
class Start:
    """A process that trained the run: what it was, in words, and its command."""

    label: str
    lines: list[str]
    command: str


def weights_digest(run: Run) -> str:
    """The SHA-256 of the weights that training left."""
    return hashlib.sha256((run.path / "model.safetensors").read_bytes()).hexdigest()


def read_starts(run: Run) -> list[Start]:
    """Every process that trained the run; the one in its configuration if it has no list of them.

    Raises:
        ValueError: a line of the list is damaged.
    """
    noted = list(json_lines(run.path / "starts.jsonl"))
    first = run.config.get("provenance")
    if not noted and isinstance(first, dict):
        noted = [first]
    return [_start(note) for note in noted]


def _start(note: Mapping[str, Any]) -> Start:
    step = note.get("step")
    git, versions, command = (note.get(key) for key in ("git", "versions", "command"))
    machine = [str(note[key]) for key in ("device", "platform") if note.get(key)]
    lines = [" on ".join([str(note.get("time", "at an unknown time")), ", ".join(machine)])]
    if isinstance(git, Mapping):
        changes = ", with changes" if git.get("changed") else ""
        lines.append(f"commit {git.get('commit')}{changes}")
    if isinstance(versions, Mapping):
        lines.append(", ".join(f"{name} {version}" for name, version in versions.items()))
    words = [str(word) for word in command] if isinstance(command, list) else []
    return Start(f"resumed at step {step}" if step else "started", lines, " ".join(words))
