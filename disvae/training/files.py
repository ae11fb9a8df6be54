"""Files that are either whole or absent, whenever the process is killed."""

import pickle
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disvae.files import write_atomically
from disvae.models.pretrained import weights_as_bytes

CHECKSUM_BYTES = 4  # at the end of a checkpoint


def write_tensors(path: Path, state: dict[str, Tensor]) -> int:
    """Write a module's state as safetensors: a table of tensors, with nothing to execute in it.

    Returns:
        The file's checksum.
    """
    content = weights_as_bytes(state)
    write_atomically(path, content)
    return zlib.crc32(content)


def read_tensors(path: Path, checksum: int) -> dict[str, Tensor]:
    """Read the file of :func:`write_tensors` that has this checksum, on the CPU.

    Raises:
        ValueError: if the file is missing, or has another checksum.
    """
    import safetensors.torch

    content = path.read_bytes() if path.exists() else b""
    if zlib.crc32(content) != checksum:
        raise ValueError(
            f"{path} is missing, damaged or replaced, and training goes on from it: restore it "
            "from a copy, or delete the run directory to train from the first step again"
        )
    return safetensors.torch.load(content)


def write_checkpoint(path: Path, state: dict[str, Any], previous: Path | None = None) -> None:
    """Write nested dicts and lists of tensors and numbers.

    Args:
        path: the file.
        state: its content.
        previous: where to keep the file that was at ``path``, if anywhere.
    """
    buffer = BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    write_atomically(path, content + _checksum(content), previous)


def previous_checkpoint(path: Path) -> Path:
    """Where the checkpoint before the one at ``path`` is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what :func:`write_checkpoint` wrote, on the CPU, without unpickling any object.

    Raises:
        ValueError: the file is truncated, damaged, or holds something else.
    """
    content = path.read_bytes()
    content, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    # PyTorch does not compare the checksums that it writes, which do not cover all of the file.
    if checksum != _checksum(content):
        raise ValueError(
            f"the checkpoint {path} cannot be read (wrong checksum: it is damaged or cut short): "
            "restore it from a copy, or delete it to train from the first step again"
        )
    try:
        return torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(f"the checkpoint {path} holds something else: {error}") from error


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(CHECKSUM_BYTES, "little")
