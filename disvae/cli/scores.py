"""The table of scores that ``disvae evaluate`` and ``disvae compare`` print."""

from rich.console import Console
from rich.table import Table

from disvae.metrics import Score, Scores


def show_scores(scores: dict[str, Scores], console: Console) -> None:
    """Print the table, and what a reader of it should know."""
    console.print(score_table(scores))
    for name, columns in scores.items():
        if note := _about_codes(columns):
            console.print(f"note: {name}: {note}", highlight=False)
    for metric, why in next(iter(scores.values())).skipped.items():
        console.print(f"note: {metric} was not computed: {why}", highlight=False)


def score_table(scores: dict[str, Scores]) -> Table:
    """A row per metric and, below it, per factor; a column per model."""
    table = Table("metric", *scores)
    columns = list(scores.values())
    for metric, first in columns[0].items():
        cells = (_cell(column.get(metric)) for column in columns)
        table.add_row(metric, *cells, style="bold")
        for factor in first.per_factor:
            values = (
                column[metric].per_factor.get(factor) if metric in column else None
                for column in columns
            )
            table.add_row(f"  {factor}", *("" if v is None else f"{v:.3f}" for v in values))
    return table


def _cell(score: Score | None) -> str:
    if score is None:
        return ""
    error = "" if score.standard_error is None else f" ± {score.standard_error:.3f}"
    return f"{score:.3f}{error}"


def _about_codes(scores: Scores) -> str | None:
    """What a reader of the table should know of the codes, since metrics ignore their scale."""
    if not scores:
        return None
    details = next(iter(scores.values())).details
    largest = max(details["code_std"])
    if largest == 0:
        return "the codes are constant: the scores are chance"
    if details["nearly_constant"]:
        return (
            f"the codes are nearly constant (largest standard deviation {largest:.2g}); "
            "the metrics score them like any others"
        )
    return None
