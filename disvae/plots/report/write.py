"""Write a report: read or measure each run, and fill the template."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import disvae
from disvae.files import write_atomically
from disvae.plots.report import charts, log
from disvae.plots.report.charts import make_charts
from disvae.plots.report.configuration import rows
from disvae.plots.report.contents import Contents, read_contents
from disvae.plots.report.environment import make_environment
from disvae.plots.report.evaluation import Entries, Z
from disvae.plots.report.settings import ReportSettings
from disvae.training import load_run

# The template of each section, and its heading.
SECTIONS = (
    ("traversals", "Traversals"),
    ("scores", "Scores"),
    ("curves", "Training curves"),
    ("dimensions", "Dimensions"),
    ("decomposition", "Decomposition of the KL"),
    ("reconstructions", "Reconstructions"),
    ("samples", "Samples"),
    ("configuration", "Configuration"),
    ("provenance", "Provenance"),
)


@dataclass(frozen=True)
class Column:
    """A column of the table of scores: one model of one run, by the run's number."""

    run: int
    model: str
    entries: Entries

    @property
    def factors(self) -> list[str]:
        """All factors that any of the scores has a value of."""
        return list(dict.fromkeys(k for entry in self.entries.values() for k in entry.per_factor))


def write_report(
    runs: Sequence[str | Path],
    output: str | Path | None = None,
    settings: ReportSettings = ReportSettings(),  # noqa: B008  frozen: safe to share
) -> Path:
    """Write one HTML file that shows a finished run, or several beside one another.

    It needs no network and no other file: images, styles and a little script are in it. It has the
    configuration, the curves of all terms, the scores with intervals of 95 %, the KL of each
    dimension and what it knows of each factor, the exact decomposition of the KL, a traversal with
    a slider for each dimension, reconstructions, draws from the prior, and where the run comes
    from. Of several runs, curves and scores are side by side and configurations where they differ.

    Args:
        runs: run directories, or names of pretrained models.
        output: the file, whose folder is made if it does not exist; ``report.html`` in the run
            directory if None, which there must then be one of.
        settings: what to measure, and how much.

    Returns:
        The file.

    Raises:
        ValueError: no run, the same run twice, several without an output, or what
            :func:`disvae.training.load_run` finds wrong with one.
        FileNotFoundError: a folder is no run directory, or its training has not ended.

    Example:
        >>> write_report(["runs/factor"])  # doctest: +SKIP
        PosixPath('runs/factor/report.html')
        >>> write_report(["runs/factor", "runs/beta"], "both.html")  # doctest: +SKIP
        PosixPath('both.html')
    """
    if not runs:
        raise ValueError("a report needs one run directory at least")
    if output is None and len(runs) > 1:
        raise ValueError(f"{len(runs)} runs share a report: say which file to write it to")
    finished = [load_run(run) for run in runs]
    paths = [run.path for run in finished]
    names = distinct_names(paths)
    file = paths[0] / "report.html" if output is None else Path(output)
    file.parent.mkdir(parents=True, exist_ok=True)
    contents = [
        read_contents(run, name, settings) for run, name in zip(finished, names, strict=True)
    ]
    write_atomically(file, render(contents).encode())
    return file


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The last parts of each path, as few as tell them apart.

    Raises:
        ValueError: two are the same folder.

    Example:
        >>> distinct_names([Path("a/seed-0"), Path("b/seed-0")])
        ['a/seed-0', 'b/seed-0']
    """
    parts = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    twice = next(path for path, part in zip(paths, parts, strict=True) if parts.count(part) > 1)
    raise ValueError(f"{twice} is given twice: a report shows each run once")


def render(contents: Sequence[Contents]) -> str:
    """The page of some runs."""
    environment = make_environment()
    several = len(contents) > 1
    script = environment.get_template("script.js").render()
    columns = [
        Column(number, model, scores)
        for number, run in enumerate(contents)
        for model, scores in run.scores.items()
    ]
    terms = [run.decomposition["terms"] for run in contents if run.decomposition]
    return environment.get_template("page.html").render(
        runs=contents,
        several=several,
        names=[run.name for run in contents],
        sections=SECTIONS,
        columns=columns,
        metrics=list(dict.fromkeys(metric for column in columns for metric in column.entries)),
        intervals=any(e.interval for column in columns for e in column.entries.values()),
        most=max((entry.value for part in terms for entry in part.values()), default=0.0),
        most_kl=max(dimension.kl for run in contents for dimension in run.dimensions),
        term_charts=make_charts({run.name: log.terms(run.curves) for run in contents}),
        machine_charts=make_charts({run.name: log.machine(run.curves) for run in contents}),
        frame=charts,
        settings=rows([run.config for run in contents], only_differences=several),
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
        z=Z,
        version=disvae.__version__,
        made=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
