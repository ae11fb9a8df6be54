"""Numbers of codes and factors out of files of any usual kind, and facts for other programs."""

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from disvae.data.files import reading


def print_json(facts: Any) -> None:
    """Print what a verb found, for a program to read."""
    print(as_json(facts))


def as_json(facts: Any) -> str:
    """What a verb found as JSON, which has no word for infinite or undefined numbers: null.

    Example:
        >>> print(as_json({"bound": -math.inf}))
        {
          "bound": null
        }
    """
    return json.dumps(_finite(facts), indent=2, ensure_ascii=False, allow_nan=False)


def _finite(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {name: _finite(fact) for name, fact in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [_finite(fact) for fact in facts]
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


KINDS = (".npy", ".npz", ".csv", ".h5", ".hdf5")

NAMES = "factor_names"  # the array of a .npz file that names the columns of another


def read_table(name: str) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A table of numbers, and the names of its columns where the file has them.

    Args:
        name: a .npy, .npz, .csv, .h5 or .hdf5 file; of a file with several arrays also which one,
            as in ``codes.npz:mean``. The first line of a .csv file may be names.

    Returns:
        The table, (n, columns); one column alone is given a second axis.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another kind of file, a damaged one, no array of that name, or one that is not a
            table of numbers.
    """
    file, key = _split(name)
    if file.suffix not in KINDS:
        raise ValueError(f"{file} is none of {', '.join(KINDS)}")
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    columns = None
    if file.suffix == ".csv":
        table, columns = _read_csv(file)
    elif file.suffix == ".npy":
        with reading(file):
            table = np.load(file, allow_pickle=False)
    else:
        table = _read_archive(file, key)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} holds {table.dtype} of shape {table.shape}, not a table of numbers"
        )
    return table, columns


def read_factors(name: str) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A table of factors, and their names: of a .npz file those that ``disvae encode`` puts in it.

    Args:
        name: see :func:`read_table`.
    """
    table, names = read_table(name)
    file, _ = _split(name)
    if file.suffix == ".npz":
        with reading(file), file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            found = archive[NAMES].ravel() if NAMES in archive.files else []
        if len(found) == table.shape[1]:  # else they are of another array of the file
            names = tuple(str(name) for name in found)
    return table, names


def _split(name: str) -> tuple[Path, str]:
    """A file, and which of its arrays."""
    path, _, key = name.partition(":") if not Path(name).exists() else (name, "", "")
    return Path(path), key


def _read_csv(file: Path) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    with reading(file):
        lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
        if not lines:
            raise ValueError("it is empty")
        first = [cell.strip().strip('"') for cell in lines[0].split(",")]
        named = not all(_is_number(cell) for cell in first)
        body = lines[1:] if named else lines
        table = np.array([[float(cell) for cell in line.split(",")] for line in body])
    return table, tuple(first) if named else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_archive(file: Path, key: str) -> NDArray[Any]:
    with reading(file):
        if file.suffix == ".npz":
            with file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
                chosen = [key] if key else [name for name in archive.files if name != NAMES]
                found = {name: archive[name] for name in chosen if name in archive.files}
        else:
            with h5py.File(file) as archive:
                found = {
                    name: np.asarray(item)
                    for name, item in archive.items()
                    if key in ("", name) and isinstance(item, h5py.Dataset)
                }
    if len(found) != 1:
        wrong = f"has no array {key!r}" if key else f"has {len(found)} arrays"
        names = ", ".join(found) or "no name that fits"
        raise ValueError(f"{file} {wrong} ({names}): say which as in {file.name}:NAME")
    return next(iter(found.values()))
