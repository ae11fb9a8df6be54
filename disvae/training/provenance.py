"""Where a run comes from: what a reader needs who wants the same again."""

import json
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch

import disvae
from disvae.files import open_to_append

FILE = "starts.jsonl"


def note_start(folder: Path, step: int) -> None:
    """Add a line to the run's ``starts.jsonl``: this process, its threads, its program.

    Args:
        folder: the run directory.
        step: where the process goes on from.
    """
    line = json.dumps({"step": step, "threads": torch.get_num_threads(), **provenance()})
    with open_to_append(folder / FILE) as file:
        file.write(line + "\n")


def noted_threads(folder: Path) -> int | None:
    """Return the number of threads that the last process used; None if no process noted one."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
        return int(json.loads(lines[-1])["threads"])
    except (OSError, LookupError, ValueError):  # no run yet, or notes of another program
        return None


def provenance() -> dict[str, Any]:
    """The time, the command, the versions, the machine, and the state of the code around it."""
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": sys.argv,
        "versions": {
            "disvae": disvae.__version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "platform": platform.platform(),
        "processor": processor(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "git": _git(),
    }


def processor() -> str:
    """Return the processor's name, as the system has it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git() -> dict[str, Any] | None:
    """The commit of the folder where the process started, and whether files differ from it."""
    try:
        commit = _ask("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):  # no git, or no repository
        return None


def _ask(*question: str) -> str:
    answer = subprocess.run(
        ["git", *question], capture_output=True, text=True, timeout=10, check=True
    )
    return answer.stdout.strip()
