"""Configurations as rows of a table, and what differs between several."""

from collections.abc import Mapping, Sequence
from typing import Any

Row = tuple[str, list[str]]  # a setting, and its value in each run

ABSENT = "–"


def flatten(config: Any, prefix: str = "") -> dict[str, str]:
    """Nested settings as text under dotted names; a class stands under the name of its part.

    Example:
        >>> flatten({"loss": {"class_path": "my.Loss", "init_args": {"beta": 4.0}}, "seed": 0})
        {'loss': 'my.Loss', 'loss.beta': '4.0', 'seed': '0'}
    """
    if isinstance(config, Mapping) and "class_path" in config:
        rest = config.get("init_args") or {}
        inside = rest if isinstance(rest, Mapping) else {"init_args": rest}
        return {prefix: _class(str(config["class_path"])), **_inside(inside, prefix)}
    if isinstance(config, Mapping) and config:
        return _inside(config, prefix)
    return {prefix: _text(config)}


def rows(configs: Sequence[Mapping[str, Any]], only_differences: bool) -> list[Row]:
    """A row for each setting, without the provenance.

    Args:
        configs: one per run.
        only_differences: leave out settings that are the same in all of the runs.
    """
    flat = [flatten({k: v for k, v in c.items() if k != "provenance"}) for c in configs]
    keys = list(dict.fromkeys(key for one in flat for key in one))
    parts = list(dict.fromkeys(_part(key) for key in keys))
    keys.sort(key=lambda key: parts.index(_part(key)))  # what one run alone has beside the rest
    table = [(key, [one.get(key, ABSENT) for one in flat]) for key in keys]
    return [row for row in table if not only_differences or len(set(row[1])) > 1]


def class_name(config: Mapping[str, Any], part: str) -> str:
    """The bare name of the class of a part: "FactorVAELoss"."""
    spec = config.get(part)
    path = spec.get("class_path") if isinstance(spec, Mapping) else None
    return str(path).rpartition(".")[2] if path else f"{part} made in Python"


def _part(key: str) -> str:
    return key.split(".")[0]


def _class(path: str) -> str:
    """The library's own classes by their bare names, as the command line has them."""
    return path.rpartition(".")[2] if path.startswith("disvae.") else path


def _inside(config: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in config.items():
        found |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)) and not any(isinstance(v, Mapping) for v in value):
        return ", ".join(str(item) for item in value) if value else "none"
    return "none" if value is None or value == {} else str(value)
