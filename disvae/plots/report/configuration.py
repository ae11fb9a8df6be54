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
        return {prefix: str(config["class_path"]), **_inside(rest, prefix)}
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
    table = [
        (key, [one.get(key, ABSENT) for one in flat])
        for key in dict.fromkeys(key for one in flat for key in one)
    ]
    return [row for row in table if not only_differences or len(set(row[1])) > 1]


def class_name(config: Mapping[str, Any], part: str) -> str:
    """The bare name of the class of a part: "FactorVAELoss"."""
    spec = config.get(part)
    path = spec.get("class_path") if isinstance(spec, Mapping) else None
    return str(path).rpartition(".")[2] if path else f"{part} made in Python"


def _inside(config: Any, prefix: str) -> dict[str, str]:
    if not isinstance(config, Mapping):
        return {prefix: _text(config)} if config else {}
    found: dict[str, str] = {}
    for key, value in config.items():
        found |= flatten(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)) and not any(isinstance(v, Mapping) for v in value):
        return ", ".join(str(item) for item in value) if value else "none"
    return "none" if value is None or value == {} else str(value)
