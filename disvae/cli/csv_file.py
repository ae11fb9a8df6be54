"""Tables in .csv files, whose columns may have names, and words in them."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = ("", "na", "n/a", "nan", "null", "none")


def read_csv(file: Path) -> tuple[list[NDArray[Any]], tuple[str, ...] | None]:
    """The columns of a .csv file, floats or words each, and the names that its first line gives.

    Raises:
        ValueError: it is no text in UTF-8, holds no rows or lines of several lengths, or a cell is
            empty.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} is no table in UTF-8: {error}") from error
    if not rows:
        raise ValueError(f"{file} is empty")
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(rows[0]) == 1 and separator in rows[0][0]:
            raise ValueError(f"{file}: its columns are separated by {called}, not by commas")
    named = any(not _is_number(cell) for cell in rows[0])
    names = tuple(rows[0]) if named else None
    if names and len(set(filter(None, names))) < len(list(filter(None, names))):
        raise ValueError(f"{file}: two columns have the same name, in {', '.join(names)}")
    body = rows[1:] if named else rows
    if not body:
        raise ValueError(f"{file} has names of columns, and no rows")
    for number, row in enumerate(body, 2 if named else 1):
        if len(row) != len(rows[0]):
            raise ValueError(f"{file}: line {number} has {len(row)} cells, not {len(rows[0])}")
        empty = [k for k, cell in enumerate(row) if cell.lower() in MISSING]
        if empty:
            raise ValueError(f"{file}: line {number} has no value in column {empty[0]}")
    return [_column(list(cells)) for cells in zip(*body, strict=True)], names


def choose(
    columns: list[NDArray[Any]], names: tuple[str, ...] | None, key: str, file: Path
) -> tuple[list[NDArray[Any]], tuple[str, ...] | None]:
    """The columns that ``key`` asks for, by name or number, with commas between them; or all.

    Raises:
        ValueError: there is no such column, or all are asked for and one has no name.
    """
    if not key:
        if names and "" in names:
            rest = ",".join(filter(None, names))
            raise ValueError(
                f"{file}: column {names.index('')} has no name, and looks like the numbers of the "
                f"rows. Say which columns are meant, as in {file.name}:{rest}"
            )
        return columns, names
    chosen = []
    for wanted in key.split(","):
        if names and wanted in names:
            chosen.append(names.index(wanted))
        elif wanted.isdecimal() and int(wanted) < len(columns):
            chosen.append(int(wanted))
        else:
            known = ", ".join(names) if names else f"0 to {len(columns) - 1}"
            raise ValueError(f"{file} has no column {wanted!r}; its columns are {known}")
    return [columns[k] for k in chosen], tuple(names[k] for k in chosen) if names else None


def _column(cells: list[str]) -> NDArray[Any]:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array(cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
