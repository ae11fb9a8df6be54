"""A report of ``benchmarks/gpu.py`` as Markdown."""

from typing import Any


def tables(report: dict[str, Any]) -> str:
    """The tables of the stages that the report has."""
    made = {"steps": _steps, "runs": _runs, "train": _train}
    return "\n\n".join(table(report[name]) for name, table in made.items() if name in report)


def _steps(found: dict[str, Any]) -> str:
    sizes = sorted({row["batch_size"] for row in found["rows"]})
    names = list(dict.fromkeys(row["loss"] for row in found["rows"]))
    columns = [(size, name) for size in sizes for name in names]
    head = ["steps a second", *(f"{name}, {size}" for size, name in columns)]
    return _table(head, found["rows"], lambda row: (row["batch_size"], row["loss"]), columns)


def _runs(found: dict[str, Any]) -> str:
    columns = sorted({row["runs"] for row in found["rows"]})
    head = ["steps of all runs a second", *(f"{k} at once" for k in columns)]
    return _table(head, found["rows"], lambda row: row["runs"], columns)


def _table(head: list[str], rows: list[dict[str, Any]], column: Any, columns: list[Any]) -> str:
    lines = [head, ["---"] + ["---:"] * len(columns)]
    for way in dict.fromkeys(row["way"] for row in rows):
        cells = {column(row): row for row in rows if row["way"] == way}
        lines.append([way, *(_rate(cells.get(each)) for each in columns)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _rate(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{row['rate']:,.0f}" if "rate" in row else "failed"


def _train(found: dict[str, Any]) -> str:
    head = ["loss", "seed", "reconstruction", "FactorVAE score", "MIG"]
    head += ["mutual information", "total correlation", "dimension-wise KL"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in found["rows"]:
        scores, terms = row["disentanglement_lib"], row["terms"].values()
        lines.append(
            [row["loss"], str(row["seed"]), f"{row['reconstruction']:.1f}"]
            + [f"{scores[name]:.3f}" for name in ("FactorVAE score", "MIG")]
            + [f"{term:.2f}" for term in terms]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
