"""The names that somebody gave the latent dimensions of a run: its ``dimensions.json``."""

import json
from collections.abc import Mapping
from pathlib import Path

from disvae.files import write_atomically

FILE = "dimensions.json"

# Characters; longer names fit beside no slider and on no axis.
LONGEST = 40


def read_dimension_names(run: str | Path) -> dict[int, str]:
    """The names of a run's latent dimensions, as far as they have been named.

    Args:
        run: the run directory.

    Returns:
        Names by dimension; nothing if none has been named.

    Raises:
        ValueError: the file is damaged, or holds something else.

    Example:
        >>> write_dimension_names(".", {3: "position x"})
        >>> read_dimension_names(".")
        {3: 'position x'}
    """
    file = Path(run) / FILE
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {int(dimension): _checked(name) for dimension, name in content.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f'{file} does not hold names by dimension, such as {{"3": "position x"}} ({error}): '
            "mend it, or delete it"
        ) from error


def write_dimension_names(run: str | Path, names: Mapping[int, str]) -> None:
    """Write the names of a run's latent dimensions, instead of those that were there.

    Args:
        run: the run directory.
        names: by dimension; white space around a name is cut off, and an empty name is no name.

    Raises:
        ValueError: a name is longer than 40 characters, or has more than one line.
        OSError: the file cannot be written; the old one is intact.
    """
    kept = {str(j): text for j in sorted(names) if (text := _checked(names[j]))}
    content = json.dumps(kept, indent=2, ensure_ascii=False)
    write_atomically(Path(run) / FILE, content.encode())


def _checked(name: str) -> str:
    name = name.strip()
    if len(name) > LONGEST or not name.isprintable():
        raise ValueError(
            f"the name of a dimension must be one line of at most {LONGEST} characters, "
            f"got {name!r}"
        )
    return name
