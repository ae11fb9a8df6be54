"""Numbers of codes and factors out of files of any usual kind, and facts for other programs."""

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from disvae.cli.csv_file import choose, read_csv
from disvae.data.files import open_h5, reading


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


def read_table(name: str, words: bool = False) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A table of numbers, and the names of its columns where the file has them.

    Args:
        name: a .npy, .npz, .csv, .h5 or .hdf5 file; of a file with several arrays also which one,
            as in ``codes.npz:mean``; of a .csv or .npy file also which columns, by name or number,
            as in ``codes.csv:z0,z1``. The first line of a .csv file may be names.
        words: whether a column of words is numbered, in the order of the alphabet, or refused.

    Returns:
        The table, (n, columns); one column alone is given a second axis.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: another kind of file, a damaged one, no array or column of that name, or one
            that is not a table of numbers.
    """
    file, key = _split(name)
    if file.suffix not in KINDS:
        raise ValueError(f"{file} is none of {', '.join(KINDS)}")
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    names = None
    if file.suffix == ".csv":
        columns, names = choose(*read_csv(file), key, file)
        for k, column in enumerate(columns):
            if column.dtype.kind == "U" and not words:
                called = repr(names[k]) if names else k
                raise ValueError(
                    f"{file}: column {called} has words in it, such as {_word(column)!r}"
                )
        if any(column.dtype.kind == "U" for column in columns):
            columns = [_numbered(column) for column in columns]
        table = np.stack(columns, axis=1)
    elif file.suffix == ".npy":
        with reading(file):
            table = np.load(file, allow_pickle=False)
        if key and table.ndim == 2:
            table = np.stack(choose(list(table.T), None, key, file)[0], axis=1)
    else:
        table = _read_archive(file, key)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or table.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} holds {table.dtype} of shape {table.shape}, not a table of numbers"
        )
    return table, names


def read_factors(name: str) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """A table of factors, and their names: of a .npz file those that ``disvae encode`` puts in it.

    Args:
        name: see :func:`read_table`.
    """
    table, names = read_table(name, words=True)
    file, _ = _split(name)
    if file.suffix == ".npz":
        with reading(file), file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            found = archive[NAMES].ravel() if NAMES in archive.files else []
        if len(found) == table.shape[1]:  # else they are of another array of the file
            names = tuple(str(name) for name in found)
    return table, names


def _word(column: NDArray[Any]) -> str:
    """The first cell of a column that is no number."""
    for cell in column:
        try:
            float(cell)
        except ValueError:
            return str(cell)
    raise AssertionError


def _numbered(column: NDArray[Any]) -> NDArray[Any]:
    if column.dtype.kind != "U":
        return column
    return np.unique(column, return_inverse=True)[1].astype(np.float64)


def _split(name: str) -> tuple[Path, str]:
    """A file, and which of its arrays."""
    path, _, key = name.partition(":") if not Path(name).exists() else (name, "", "")
    return Path(path), key


def _read_archive(file: Path, key: str) -> NDArray[Any]:
    with reading(file):
        if file.suffix == ".npz":
            with file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
                chosen = [key] if key else [name for name in archive.files if name != NAMES]
                found = {name: archive[name] for name in chosen if name in archive.files}
        else:
            with open_h5(file) as archive:
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
