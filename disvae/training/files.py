"""Files that are either whole or absent, whenever the process is killed."""

import pickle
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from disvae.data.files import write_atomically
from disvae.models.pretrained import weights_as_bytes

CHECKSUM_BYTES = 4  # at the end of a checkpoint


def write_tensors(path: Path, state: dict[str, Tensor]) -> None:
    """Write a module's state as safetensors: a table of tensors, with nothing to execute in it."""
    write_atomically(path, weights_as_bytes(state))


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write nested dicts and lists of tensors and numbers; the file before is kept beside it."""
    buffer = BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    write_atomically(path, content + _checksum(content), previous=previous_checkpoint(path))


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
